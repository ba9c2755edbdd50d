// SPDX-License-Identifier: Apache-2.0
// What ops ask of their arguments beyond engine/tensor.h: values shared by all replicas, memory that may be the same.
// All throw ShapeError naming the argument.
#pragma once

#include "engine/tensor.h"

namespace genexx {

// Present and of `rank` axes; `axes` is how the header writes them: "[r, n, c]".
void expect_axes(const char* name, const ConstTensor& t, int rank, const char* axes,
                 CodeLocation at = CodeLocation::here());

// Of shape `want`, or of that shape with a first extent of 1: the same values for every replica.
void expect_shape_or_shared(const char* name, const ConstTensor& t, const Shape& want,
                            CodeLocation at = CodeLocation::here());

// Of shape and element type; absent is right too.
void expect_optional(const char* name, const ConstTensor& t, const Shape& want, DType dtype,
                     CodeLocation at = CodeLocation::here());

// The same memory, or memory that does not overlap. An absent argument is right.
void expect_same_or_separate(const char* a_name, const ConstTensor& a, const char* b_name, const ConstTensor& b,
                             CodeLocation at = CodeLocation::here());

// Memory that does not overlap, where both are present.
void expect_separate_if_present(const char* a_name, const ConstTensor& a, const char* b_name, const ConstTensor& b,
                                CodeLocation at = CodeLocation::here());

// Elements from the values of one replica to those of the next; 0 when they are shared.
inline std::int64_t replica_stride(const ConstTensor& t, std::int64_t replicas) {
  if (t.shape.rank() == 0 || t.shape[0] == 0 || (t.shape[0] == 1 && replicas != 1)) return 0;
  return t.shape.elements() / t.shape[0];
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "kernels/expect.h"

#include <string>

namespace genexx {

void expect_axes(const char* name, const ConstTensor& t, int rank, const char* axes, CodeLocation at) {
  expect_present(name, t, at);
  if (t.shape.rank() != rank)
    throw ShapeError(std::string(name) + " is " + to_string(t.shape) + ", expected " + axes, at);
}

void expect_shape_or_shared(const char* name, const ConstTensor& t, const Shape& want, CodeLocation at) {
  Shape shared = want;
  if (want.rank() > 0) shared.set(0, 1);
  if (!(t.shape == shared)) expect_shape(name, t, want, at);
}

void expect_optional(const char* name, const ConstTensor& t, const Shape& want, DType dtype, CodeLocation at) {
  if (!t) return;
  expect_shape(name, t, want, at);
  expect_dtype(name, t, dtype, at);
}

void expect_same_or_separate(const char* a_name, const ConstTensor& a, const char* b_name, const ConstTensor& b,
                             CodeLocation at) {
  if (a && b && a.data != b.data) expect_separate(a_name, a, b_name, b, at);
}

void expect_separate_if_present(const char* a_name, const ConstTensor& a, const char* b_name, const ConstTensor& b,
                                CodeLocation at) {
  if (a && b) expect_separate(a_name, a, b_name, b, at);
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// The data set as ops see it: cells by columns in device memory, sparse or dense. Shared by all replicas.
#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace genexx {

struct ExpressionData {
  ConstTensor row_begin;  // [N + 1] i64 } all three, or none of them
  ConstTensor column;     // [nnz] i32   } strictly increasing within a row
  ConstTensor value;      // [nnz] f32   }
  ConstTensor dense;      // [N, cols] f32, when there is no CSR
  std::int64_t cols = 0;
  std::int64_t longest_row = 0;  // most values stored in one row, where the maker of the CSR tensors says it; else 0
};

// What is done to a stored value (after the library-size factor) before it is used.
enum class ValueTransform { none, log1p, expm1 };

// N, the number of cells. Throws ShapeError naming the tensor when the parts do not fit each other.
std::int64_t checked_cells(const ExpressionData& data);

// The stride over replicas, in elements, of a tensor that must be [replicas, last] or [1, last]: 0 when it is shared or
// absent. Throws ShapeError naming it.
std::int64_t checked_stride(const char* name, const ConstTensor& t, std::int64_t replicas, std::int64_t last);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "kernels/expression_data.h"

namespace genexx {

std::int64_t checked_cells(const ExpressionData& d) {
  if (d.dense) {
    if (d.row_begin || d.column || d.value)
      throw ShapeError("data has both dense and CSR tensors, expected one form", CodeLocation::here());
    const std::int64_t cells = d.dense.shape.rank() == 2 ? d.dense.shape[0] : -1;
    expect_shape("data.dense", d.dense, Shape{cells, d.cols});
    expect_dtype("data.dense", d.dense, DType::f32);
    return cells;
  }
  expect_present("data.row_begin", d.row_begin);
  expect_dtype("data.row_begin", d.row_begin, DType::i64);
  if (d.row_begin.shape.rank() != 1 || d.row_begin.shape[0] < 1)
    throw ShapeError("data.row_begin is " + to_string(d.row_begin.shape) + ", expected [N + 1]", CodeLocation::here());
  expect_dtype("data.column", d.column, DType::i32);
  expect_dtype("data.value", d.value, DType::f32);
  if (d.column.shape.rank() != 1)
    throw ShapeError("data.column is " + to_string(d.column.shape) + ", expected [nnz]", CodeLocation::here());
  expect_shape("data.value", d.value, d.column.shape);
  if (d.column.shape[0] > 0) {
    expect_present("data.column", d.column);
    expect_present("data.value", d.value);
  }
  return d.row_begin.shape[0] - 1;
}

std::int64_t checked_stride(const char* name, const ConstTensor& t, std::int64_t replicas, std::int64_t last) {
  if (!t) return 0;
  const bool shared = t.shape.rank() == 2 && t.shape[0] == 1;
  expect_shape(name, t, Shape{shared ? 1 : replicas, last});
  return shared ? 0 : last;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "kernels/ingest.h"

#include <string>

#include "kernels/dispatch.h"

namespace genexx::ingest {
namespace {

// The number of cells; checks the data set against itself.
std::int64_t checked_cells(const Data& d) {
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

// The stride over replicas of a [r or 1, last] tensor; 0 when absent or shared.
std::int64_t checked_stride(const char* name, const ConstTensor& t, std::int64_t replicas, std::int64_t last) {
  if (!t) return 0;
  const bool shared = t.shape.rank() == 2 && t.shape[0] == 1;
  expect_shape(name, t, Shape{shared ? 1 : replicas, last});
  return shared ? 0 : last;
}

Extents checked(const Args& a) {
  const std::int64_t cells = checked_cells(a.data);
  expect_present("out", a.out);
  if (a.out.shape.rank() != 3)
    throw ShapeError("out is " + to_string(a.out.shape) + ", expected [r, n, g]", CodeLocation::here());
  Extents e{};
  e.replicas = a.out.shape[0];
  e.n = a.out.shape[1];
  e.genes = a.out.shape[2];
  expect_present("rows", a.rows);
  expect_dtype("rows", a.rows, DType::i64);
  e.rows_stride = checked_stride("rows", a.rows, e.replicas, e.n);
  e.row_factor_stride = checked_stride("row_factor", a.row_factor, e.replicas, cells);
  e.shift_stride = checked_stride("shift", a.shift, e.replicas, e.genes);
  e.factor_stride = checked_stride("factor", a.factor, e.replicas, e.genes);
  if (a.row_factor) expect_dtype("row_factor", a.row_factor, DType::f32);
  if (a.shift) expect_dtype("shift", a.shift, a.out.dtype);
  if (a.factor) expect_dtype("factor", a.factor, a.out.dtype);
  if (a.gene_of_column) {
    expect_shape("gene_of_column", a.gene_of_column, Shape{a.data.cols});
    expect_dtype("gene_of_column", a.gene_of_column, DType::i32);
  } else if (a.data.cols != e.genes) {
    throw ShapeError("data.cols is " + std::to_string(a.data.cols) + " without gene_of_column, expected the " +
                         std::to_string(e.genes) + " genes of out",
                     CodeLocation::here());
  }
  if (!(a.clip >= 0))
    throw ShapeError("clip is " + std::to_string(a.clip) + ", expected 0 (no limit) or more", CodeLocation::here());
  return e;
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || e.n == 0 || e.genes == 0) return;
  on_device(ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

}  // namespace genexx::ingest

// SPDX-License-Identifier: Apache-2.0
#include "kernels/ingest.h"

#include <string>

#include "kernels/dispatch.h"

namespace genexx::ingest {
namespace {

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
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

}  // namespace genexx::ingest

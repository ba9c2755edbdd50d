// SPDX-License-Identifier: Apache-2.0
#include "kernels/group_means.h"

#include "kernels/dispatch.h"

namespace genexx::group_means {
namespace {

Extents checked(const Args& a) {
  Extents e{};
  const std::int64_t cells = checked_cells(a.data);
  expect_present("rows", a.rows);
  expect_dtype("rows", a.rows, DType::i64);
  if (a.rows.shape.rank() != 2)
    throw ShapeError("rows is " + to_string(a.rows.shape) + ", expected [r, n]", CodeLocation::here());
  e.replicas = a.rows.shape[0];
  e.n = a.rows.shape[1];
  e.row_factor_stride = checked_stride("row_factor", a.row_factor, e.replicas, cells);
  if (a.row_factor) expect_dtype("row_factor", a.row_factor, DType::f32);
  expect_present("group_of_cell", a.group_of_cell);
  expect_dtype("group_of_cell", a.group_of_cell, DType::i32);
  expect_shape("group_of_cell", a.group_of_cell, Shape{cells});
  expect_present("mean", a.mean);
  expect_dtype("mean", a.mean, DType::f64);
  e.groups = a.mean.shape.rank() == 3 ? a.mean.shape[1] : -1;
  expect_shape("mean", a.mean, Shape{e.replicas, e.groups, a.data.cols});
  if (a.count) {
    expect_shape("count", a.count, Shape{e.replicas, e.groups});
    expect_dtype("count", a.count, DType::i64);
  }
  if (a.within) {
    expect_shape("within", a.within, Shape{e.replicas, a.data.cols});
    expect_dtype("within", a.within, DType::f64);
  }
  return e;
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || args.data.cols == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

}  // namespace genexx::group_means

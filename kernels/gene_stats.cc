// SPDX-License-Identifier: Apache-2.0
#include "kernels/gene_stats.h"

#include <string>

#include "kernels/dispatch.h"

namespace genexx::gene_stats {
namespace {

Extents checked(const Args& a) {
  Extents e{};
  e.cells = checked_cells(a.data);
  expect_present("rows", a.rows);
  expect_dtype("rows", a.rows, DType::i64);
  if (a.rows.shape.rank() != 2)
    throw ShapeError("rows is " + to_string(a.rows.shape) + ", expected [r, n]", CodeLocation::here());
  e.replicas = a.rows.shape[0];
  e.n = a.rows.shape[1];
  e.row_factor_stride = checked_stride("row_factor", a.row_factor, e.replicas, e.cells);
  if (a.row_factor) expect_dtype("row_factor", a.row_factor, DType::f32);
  if (a.ddof < 0) throw ShapeError("ddof is " + std::to_string(a.ddof) + ", expected 0 or more", CodeLocation::here());
  const auto output = [&](const char* name, const Tensor& t, DType dtype) {
    if (!t) return;
    expect_shape(name, t, Shape{e.replicas, a.data.cols});
    expect_dtype(name, t, dtype);
  };
  output("sum", a.sum, DType::f64);
  output("mean", a.mean, DType::f64);
  output("variance", a.variance, DType::f64);
  output("min", a.min, DType::f64);
  output("max", a.max, DType::f64);
  output("nnz", a.nnz, DType::i64);
  return e;
}

}  // namespace

void run(Context& ctx, const Args& args) {
  const Extents e = checked(args);
  if (e.replicas == 0 || args.data.cols == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args, e); }, [&](auto& c) { cuda::run(c, args, e); });
}

}  // namespace genexx::gene_stats

// SPDX-License-Identifier: Apache-2.0
#include "kernels/batch_norm.h"

#include <string>

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::batch_norm {
namespace {

void expect_like(const char* name, const ConstTensor& t, const Shape& want, DType dtype) {
  expect_present(name, t);
  expect_optional(name, t, want, dtype);
}

// A statistic of fewer than two rows has no variance.
void expect_rows(Statistics statistics, const ConstTensor& x) {
  if (statistics == Statistics::batch && x.shape[1] < 2)
    throw ShapeError("x is " + to_string(x.shape) +
                         ", expected at least 2 rows for batch statistics: use Statistics::running, or a larger batch",
                     CodeLocation::here());
}

}  // namespace

void forward(Context& ctx, const ForwardArgs& args) {
  expect_axes("x", args.x, 3, "[r, n, c]");
  const DType dtype = args.x.dtype;
  const Shape columns = {args.x.shape[0], args.x.shape[2]};
  expect_like("gamma", args.gamma, columns, dtype);
  expect_like("beta", args.beta, columns, dtype);
  expect_like("running_mean", args.running_mean, columns, dtype);
  expect_like("running_var", args.running_var, columns, dtype);
  expect_like("y", args.y, args.x.shape, dtype);
  expect_like("mean", args.mean, columns, dtype);
  expect_like("rstd", args.rstd, columns, dtype);
  expect_separate("y", args.y, "x", args.x);
  expect_separate("mean", args.mean, "rstd", args.rstd);
  expect_separate("mean", args.mean, "running_mean", args.running_mean);
  expect_separate("rstd", args.rstd, "running_var", args.running_var);
  expect_rows(args.statistics, args.x);
  expect_finish(args.finish, columns[0]);
  if (columns.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args); }, [&](auto& c) { cuda::forward(c, args); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  expect_axes("x", args.x, 3, "[r, n, c]");
  const DType dtype = args.x.dtype;
  const Shape columns = {args.x.shape[0], args.x.shape[2]};
  expect_like("gamma", args.gamma, columns, dtype);
  expect_like("mean", args.mean, columns, dtype);
  expect_like("rstd", args.rstd, columns, dtype);
  expect_like("dy", args.dy, args.x.shape, dtype);
  expect_optional("dx", args.dx, args.x.shape, dtype);
  expect_like("dgamma", args.dgamma, columns, dtype);
  expect_like("dbeta", args.dbeta, columns, dtype);
  expect_separate_if_present("dx", args.dx, "x", args.x);
  if (args.mode == WriteMode::accumulate) {
    expect_separate_if_present("dx", args.dx, "dy", args.dy);
  } else {
    expect_same_or_separate("dx", args.dx, "dy", args.dy);
  }
  expect_finish(args.finish, columns[0]);
  if (args.finish.activation || args.finish.rate) {
    expect_like("y", args.y, args.x.shape, dtype);
    expect_separate_if_present("dx", args.dx, "y", args.y);
  }
  expect_optional("dbias", args.dbias, columns, dtype);
  if (args.dbias) expect_present("dx", args.dx);
  expect_separate_if_present("dbias", args.dbias, "dgamma", args.dgamma);
  expect_separate_if_present("dbias", args.dbias, "dbeta", args.dbeta);
  expect_separate("dgamma", args.dgamma, "dbeta", args.dbeta);
  expect_separate("dgamma", args.dgamma, "gamma", args.gamma);
  expect_rows(args.statistics, args.x);
  if (columns.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args); }, [&](auto& c) { cuda::backward(c, args); });
}

}  // namespace genexx::batch_norm

// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation_dropout.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::activation_dropout {
namespace {

void expect_like(const char* name, const ConstTensor& t, const ConstTensor& like) {
  expect_present(name, t);
  expect_shape(name, t, like.shape);
  expect_dtype(name, t, like.dtype);
}

void expect_per_replica(const char* name, const ConstTensor& t, std::int64_t r, DType dtype) {
  expect_present(name, t);
  expect_shape(name, t, Shape{r});
  expect_dtype(name, t, dtype);
}

}  // namespace

void expect_finish(const Finish& finish, std::int64_t r) {
  if (!finish.rate && !finish.seed && !finish.step) return;
  expect_per_replica("seed", finish.seed, r, DType::i64);
  expect_per_replica("step", finish.step, r, DType::i64);
  expect_per_replica("rate", finish.rate, r, DType::f64);
}

void forward(Context& ctx, const ForwardArgs& args) {
  expect_axes("x", args.x, 3, "[r, n, c]");
  expect_like("y", args.y, args.x);
  expect_same_or_separate("y", args.y, "x", args.x);
  expect_finish(args.finish, args.x.shape[0]);
  if (args.x.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args); }, [&](auto& c) { cuda::forward(c, args); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  expect_axes("y", args.y, 3, "[r, n, c]");
  expect_like("dy", args.dy, args.y);
  expect_like("dx", args.dx, args.y);
  const Shape columns = {args.y.shape[0], args.y.shape[2]};
  expect_optional("dbias", args.dbias, columns, args.y.dtype);
  expect_finish(args.finish, columns[0]);
  expect_separate("dx", args.dx, "y", args.y);
  if (args.mode == WriteMode::accumulate) {
    expect_separate("dx", args.dx, "dy", args.dy);
  } else {
    expect_same_or_separate("dx", args.dx, "dy", args.dy);
  }
  expect_separate_if_present("dbias", args.dbias, "dx", args.dx);
  expect_separate_if_present("dbias", args.dbias, "dy", args.dy);
  if (columns.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args); }, [&](auto& c) { cuda::backward(c, args); });
}

}  // namespace genexx::activation_dropout

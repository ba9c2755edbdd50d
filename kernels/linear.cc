// SPDX-License-Identifier: Apache-2.0
#include "kernels/linear.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::linear {
namespace {

struct Sizes {
  std::int64_t r, n, in, out;
};

// The sizes said by the weight (or its gradient) and by y (or its gradient), which is named `y_name`.
Sizes sizes(const char* weight_name, const ConstTensor& weight, const char* y_name, const ConstTensor& y) {
  expect_axes(weight_name, weight, 3, "[r, out, in]");
  expect_axes(y_name, y, 3, "[r, n, out]");
  const Sizes s = {weight.shape[0], y.shape[1], weight.shape[2], weight.shape[1]};
  expect_shape(y_name, y, Shape{s.r, s.n, s.out});
  return s;
}

void expect_x(const ConstTensor& x, const Sizes& s, DType dtype) {
  expect_present("x", x);
  expect_shape_or_shared("x", x, Shape{s.r, s.n, s.in});
  expect_dtype("x", x, dtype);
}

// A network trained in bf16 keeps its matrices in the form that products take.
void expect_weight(const Context& ctx, const ConstTensor& weight, DType dtype) {
  const bool narrow = weight.dtype == DType::bf16 && ctx.precision == Precision::bf16 && dtype == DType::f32;
  if (!narrow) expect_dtype("weight", weight, dtype);
}

}  // namespace

void forward(Context& ctx, const ForwardArgs& args) {
  const Sizes s = sizes("weight", args.weight, "y", args.y);
  expect_x(args.x, s, args.y.dtype);
  expect_weight(ctx, args.weight, args.y.dtype);
  expect_optional("bias", args.bias, Shape{s.r, s.out}, args.y.dtype);
  if (args.y.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args); }, [&](auto& c) { cuda::forward(c, args); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  const Sizes s = sizes("weight", args.weight, "dy", args.dy);
  expect_x(args.x, s, args.dy.dtype);
  expect_weight(ctx, args.weight, args.dy.dtype);
  expect_optional("dx", args.dx, Shape{s.r, s.n, s.in}, args.dy.dtype);
  expect_optional("dweight", args.dweight, Shape{s.r, s.out, s.in}, args.dy.dtype);
  expect_optional("dbias", args.dbias, Shape{s.r, s.out}, args.dy.dtype);
  expect_separate_if_present("dbias", args.dbias, "dy", args.dy);
  if (s.r == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args); }, [&](auto& c) { cuda::backward(c, args); });
}

}  // namespace genexx::linear

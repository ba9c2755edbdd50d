// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation.h"

#include "kernels/dispatch.h"

namespace genexx::activation {

void forward(Context& ctx, const ForwardArgs& args) {
  expect_present("x", args.x);
  expect_present("y", args.y);
  expect_shape("y", args.y, args.x.shape);
  expect_dtype("y", args.y, args.x.dtype);
  if (args.x.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args); }, [&](auto& c) { cuda::forward(c, args); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  expect_present("y", args.y);
  expect_present("dy", args.dy);
  expect_present("dx", args.dx);
  expect_shape("dy", args.dy, args.y.shape);
  expect_shape("dx", args.dx, args.y.shape);
  expect_dtype("dy", args.dy, args.y.dtype);
  expect_dtype("dx", args.dx, args.y.dtype);
  if (args.y.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args); }, [&](auto& c) { cuda::backward(c, args); });
}

}  // namespace genexx::activation

// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool1d.h"

#include <string>

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::pool1d {
namespace {

Extents extents(const ConstTensor& x, const char* y_name, const ConstTensor& y, std::int64_t window) {
  expect_axes("x", x, 4, "[r, n, l, c]");
  if (window < 1)
    throw ShapeError("window is " + std::to_string(window) + ", expected at least 1", CodeLocation::here());
  const Extents e = {x.shape[0] * x.shape[1], x.shape[2], x.shape[3], x.shape[2] / window};
  expect_present(y_name, y);
  expect_optional(y_name, y, Shape{x.shape[0], x.shape[1], e.windows, e.channels}, x.dtype);
  return e;
}

}  // namespace

void forward(Context& ctx, const ForwardArgs& args) {
  const Extents e = extents(args.x, "y", args.y, args.window);
  expect_separate("y", args.y, "x", args.x);
  if (args.y.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args, e); }, [&](auto& c) { cuda::forward(c, args, e); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  const Extents e = extents(args.x, "dy", args.dy, args.window);
  expect_present("dx", args.dx);
  expect_optional("dx", args.dx, args.x.shape, args.x.dtype);
  expect_separate("dx", args.dx, "x", args.x);
  expect_separate("dx", args.dx, "dy", args.dy);
  if (args.dx.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args, e); }, [&](auto& c) { cuda::backward(c, args, e); });
}

}  // namespace genexx::pool1d

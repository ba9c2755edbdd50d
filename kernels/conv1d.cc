// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d.h"

#include <algorithm>
#include <string>

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::conv1d {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw ShapeError(message, CodeLocation::here()); }

// Placement and windows fit the sequence.
void expect_placement(const Placement& p, const Extents& e) {
  if (p.stride < 1) refuse("placement.stride is " + std::to_string(p.stride) + ", expected at least 1");
  if (p.padding < 0 || p.padding >= e.kernel)
    refuse("placement.padding is " + std::to_string(p.padding) + ", expected 0 to " + std::to_string(e.kernel - 1));
  if (e.windows > 0 && (e.windows - 1) * p.stride - p.padding >= e.length)
    refuse("the last of " + std::to_string(e.windows) + " windows begins at position " +
           std::to_string((e.windows - 1) * p.stride - p.padding) + ", expected one of the " +
           std::to_string(e.length) + " of x");
}

// The sizes said by x, weight and y or by what stands for them, whose names are given.
struct Named {
  const char* name;
  const ConstTensor& tensor;
};

Extents extents(const Named& x, const Named& weight, const Named& y, const Placement& placement) {
  expect_axes(x.name, x.tensor, 4, "[r, n, l, c]");
  expect_axes(weight.name, weight.tensor, 4, "[r, o, k, c]");
  expect_axes(y.name, y.tensor, 4, "[r, n, m, o]");
  const Shape &of_x = x.tensor.shape, &of_weight = weight.tensor.shape;
  const Extents e = {of_x[0], of_x[1], of_x[2], of_x[3], y.tensor.shape[2], of_weight[1], of_weight[2]};
  expect_shape(weight.name, weight.tensor, Shape{e.replicas, e.filters, e.kernel, e.channels});
  expect_shape(y.name, y.tensor, Shape{e.replicas, e.n, e.windows, e.filters});
  expect_dtype(weight.name, weight.tensor, x.tensor.dtype);
  expect_dtype(y.name, y.tensor, x.tensor.dtype);
  if (e.length < 1 || e.channels < 1)
    refuse(std::string(x.name) + " is " + to_string(of_x) + ", expected at least one position and one channel");
  if (e.kernel < 1) refuse(std::string(weight.name) + " has a kernel of 0, expected at least 1");
  expect_placement(placement, e);
  return e;
}

bool is_empty(const Extents& e) { return e.replicas * e.n * e.windows * e.filters == 0; }

// A gradient of no terms.
void write_zeros(Context& ctx, const Tensor& gradient, WriteMode mode) {
  if (gradient && mode == WriteMode::overwrite)
    ctx.fill_bytes(gradient.data, 0, gradient.shape.elements() * size_of(gradient.dtype));
}

}  // namespace

std::int64_t windows_inside(std::int64_t length, std::int64_t kernel, std::int64_t stride) {
  return length < kernel ? 0 : (length - kernel) / stride + 1;
}

Centred windows_centred(std::int64_t length, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t windows = (length + stride - 1) / stride;
  return {windows, std::max<std::int64_t>(0, (windows - 1) * stride + kernel - length) / 2};
}

void forward(Context& ctx, const ForwardArgs& args) {
  const Extents e = extents({"x", args.x}, {"weight", args.weight}, {"y", args.y}, args.placement);
  expect_optional("bias", args.bias, Shape{e.replicas, e.filters}, args.x.dtype);
  expect_separate("y", args.y, "x", args.x);
  expect_separate("y", args.y, "weight", args.weight);
  expect_separate_if_present("y", args.y, "bias", args.bias);
  if (is_empty(e)) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args, e); }, [&](auto& c) { cuda::forward(c, args, e); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  const Extents e = extents({"x", args.x}, {"weight", args.weight}, {"dy", args.dy}, args.placement);
  expect_optional("dx", args.dx, args.x.shape, args.dy.dtype);
  expect_optional("dweight", args.dweight, args.weight.shape, args.dy.dtype);
  expect_optional("dbias", args.dbias, Shape{e.replicas, e.filters}, args.dy.dtype);
  expect_separate_if_present("dx", args.dx, "dy", args.dy);
  expect_separate_if_present("dx", args.dx, "x", args.x);
  expect_separate_if_present("dx", args.dx, "weight", args.weight);
  expect_separate_if_present("dweight", args.dweight, "dy", args.dy);
  expect_separate_if_present("dweight", args.dweight, "x", args.x);
  expect_separate_if_present("dweight", args.dweight, "weight", args.weight);
  expect_separate_if_present("dbias", args.dbias, "dy", args.dy);
  if (is_empty(e)) {
    for (const Tensor& gradient : {args.dx, args.dweight, args.dbias}) write_zeros(ctx, gradient, args.mode);
    return;
  }
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args, e); }, [&](auto& c) { cuda::backward(c, args, e); });
}

}  // namespace genexx::conv1d

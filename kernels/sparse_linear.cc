// SPDX-License-Identifier: Apache-2.0
#include "kernels/sparse_linear.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::sparse_linear {
namespace {

// The sizes said by the weight (or its gradient), if there is one, and by y (or its gradient), which is named `y_name`.
Extents checked(const Input& x, const char* weight_name, const ConstTensor& weight, const char* y_name,
                const ConstTensor& y) {
  expect_axes(y_name, y, 3, "[r, n, out]");
  Extents e{};
  e.replicas = y.shape[0];
  e.n = y.shape[1];
  e.out = y.shape[2];
  e.genes = x.data.cols;
  if (x.data.dense) throw ShapeError("x.data is dense, expected CSR tensors", CodeLocation::here());
  checked_cells(x.data);
  if (weight) {
    expect_shape(weight_name, weight, Shape{e.replicas, e.out, e.genes});
    expect_dtype(weight_name, weight, y.dtype);
  }
  expect_present("x.rows", x.rows);
  expect_dtype("x.rows", x.rows, DType::i64);
  e.rows_stride = checked_stride("x.rows", x.rows, e.replicas, e.n);
  e.shift_stride = checked_stride("x.shift", x.shift, e.replicas, e.genes);
  e.factor_stride = checked_stride("x.factor", x.factor, e.replicas, e.genes);
  if (x.shift) expect_dtype("x.shift", x.shift, y.dtype);
  if (x.factor) expect_dtype("x.factor", x.factor, y.dtype);
  return e;
}

}  // namespace

void forward(Context& ctx, const ForwardArgs& args) {
  expect_present("weight", args.weight);
  const Extents e = checked(args.x, "weight", args.weight, "y", args.y);
  expect_optional("bias", args.bias, Shape{e.replicas, e.out}, args.y.dtype);
  if (args.y.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::forward(c, args, e); }, [&](auto& c) { cuda::forward(c, args, e); });
}

void backward(Context& ctx, const BackwardArgs& args) {
  const Extents e = checked(args.x, "dweight", args.dweight, "dy", args.dy);
  expect_optional("dbias", args.dbias, Shape{e.replicas, e.out}, args.dy.dtype);
  expect_separate_if_present("dbias", args.dbias, "dy", args.dy);
  if (e.replicas == 0 || e.out == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::backward(c, args, e); }, [&](auto& c) { cuda::backward(c, args, e); });
}

}  // namespace genexx::sparse_linear

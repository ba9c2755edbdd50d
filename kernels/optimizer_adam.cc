// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_adam.h"

#include "kernels/dispatch.h"

namespace genexx::optimizer_adam {

void run(Context& ctx, const Args& a) {
  expect_present("weight", a.weight);
  expect_present("lr", a.lr);
  expect_present("chunks", a.chunks);
  expect_dtype("chunks", a.chunks, DType::u8);
  if (a.weight.shape.rank() != 1)
    throw ShapeError("weight is " + to_string(a.weight.shape) + ", expected [p]", CodeLocation::here());
  const auto moment = [&](const char* name, const ConstTensor& t) {
    expect_present(name, t);
    expect_shape(name, t, a.weight.shape);
    expect_dtype(name, t, a.weight.dtype);
    expect_separate("weight", a.weight, name, t);
  };
  moment("m", a.m);
  moment("v", a.v);
  moment("gradient", a.gradient);
  const auto per_replica = [&](const char* name, const ConstTensor& t, DType dtype) {
    expect_present(name, t);
    expect_shape(name, t, a.lr.shape);
    expect_dtype(name, t, dtype);
  };
  per_replica("lr", a.lr, DType::f64);
  per_replica("step", a.step, DType::i64);
  if (a.weight_decay) per_replica("weight_decay", a.weight_decay, DType::f64);
  if (a.active) per_replica("active", a.active, DType::i32);
  if (a.chunks.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, a); }, [&](auto& c) { cuda::run(c, a); });
}

}  // namespace genexx::optimizer_adam

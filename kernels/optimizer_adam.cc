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
  const auto beside = [&](const char* name, const ConstTensor& t, DType dtype) {
    expect_present(name, t);
    expect_shape(name, t, a.weight.shape);
    expect_dtype(name, t, dtype);
    expect_separate("weight", a.weight, name, t);
  };
  const bool narrow = a.m.dtype == DType::bf16 && a.weight.dtype == DType::f32;
  beside("m", a.m, narrow ? DType::bf16 : a.weight.dtype);
  beside("v", a.v, narrow ? DType::bf16 : a.weight.dtype);
  beside("gradient", a.gradient, a.weight.dtype);
  const auto per_replica = [&](const char* name, const ConstTensor& t, DType dtype) {
    expect_present(name, t);
    expect_shape(name, t, a.lr.shape);
    expect_dtype(name, t, dtype);
  };
  per_replica("lr", a.lr, DType::f64);
  per_replica("step", a.step, DType::i64);
  if (a.weight_decay) per_replica("weight_decay", a.weight_decay, DType::f64);
  if (a.active) per_replica("active", a.active, DType::i32);
  if (narrow || a.seed) per_replica("seed", a.seed, DType::i64);
  if (a.chunks.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, a); }, [&](auto& c) { cuda::run(c, a); });
}

}  // namespace genexx::optimizer_adam

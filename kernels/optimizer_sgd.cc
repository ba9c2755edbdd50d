// SPDX-License-Identifier: Apache-2.0
#include "kernels/optimizer_sgd.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::optimizer_sgd {

void run(Context& ctx, const Args& args) {
  expect_axes("weight", args.weight, 1, "[p]");
  const Shape shape = args.weight.shape;
  const DType dtype = args.weight.dtype;
  expect_present("velocity", args.velocity);
  const bool narrow = args.velocity.dtype == DType::bf16 && dtype == DType::f32;
  expect_optional("velocity", args.velocity, shape, narrow ? DType::bf16 : dtype);
  expect_present("gradient", args.gradient);
  expect_optional("gradient", args.gradient, shape, dtype);
  expect_separate("weight", args.weight, "velocity", args.velocity);
  expect_separate("weight", args.weight, "gradient", args.gradient);
  expect_separate("velocity", args.velocity, "gradient", args.gradient);
  expect_axes("lr", args.lr, 1, "[r]");
  expect_dtype("lr", args.lr, DType::f64);
  expect_optional("weight_decay", args.weight_decay, args.lr.shape, DType::f64);
  expect_optional("active", args.active, args.lr.shape, DType::i32);
  expect_optional("seed", args.seed, args.lr.shape, DType::i64);
  expect_optional("step", args.step, args.lr.shape, DType::i64);
  if (narrow) {
    expect_present("seed", args.seed);
    expect_present("step", args.step);
  }
  expect_axes("chunks", args.chunks, 1, "[bytes]");
  expect_dtype("chunks", args.chunks, DType::u8);
  if (args.chunks.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::optimizer_sgd

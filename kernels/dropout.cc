// SPDX-License-Identifier: Apache-2.0
#include "kernels/dropout.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::dropout {
namespace {

void expect_per_replica(const char* name, const ConstTensor& t, std::int64_t r, DType dtype) {
  expect_present(name, t);
  expect_shape(name, t, Shape{r});
  expect_dtype(name, t, dtype);
}

}  // namespace

void apply(Context& ctx, const Args& args) {
  expect_axes("x", args.x, 3, "[r, n, c]");
  expect_present("y", args.y);
  expect_shape("y", args.y, args.x.shape);
  expect_dtype("y", args.y, args.x.dtype);
  const std::int64_t r = args.x.shape[0];
  expect_per_replica("seed", args.seed, r, DType::i64);
  expect_per_replica("step", args.step, r, DType::i64);
  expect_per_replica("rate", args.rate, r, DType::f64);
  if (args.mode == WriteMode::accumulate) {
    expect_separate("y", args.y, "x", args.x);
  } else {
    expect_same_or_separate("y", args.y, "x", args.x);
  }
  if (args.x.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::apply(c, args); }, [&](auto& c) { cuda::apply(c, args); });
}

}  // namespace genexx::dropout

// SPDX-License-Identifier: Apache-2.0
#include "kernels/accumulate.h"

#include "kernels/dispatch.h"
#include "kernels/expect.h"

namespace genexx::accumulate {

void run(Context& ctx, const Args& args) {
  expect_present("value", args.value);
  expect_present("sum", args.sum);
  expect_dtype("value", args.value, DType::f64);
  expect_dtype("sum", args.sum, DType::f64);
  expect_shape("sum", args.sum, args.value.shape);
  expect_separate("sum", args.sum, "value", args.value);
  if (args.watch.lost_at) {
    expect_axes("value", args.value, 2, "[l, r]");
    const Shape replicas = {args.value.shape[1]};
    expect_present("step", args.watch.step);
    expect_shape("step", args.watch.step, replicas);
    expect_dtype("step", args.watch.step, DType::i64);
    expect_optional("lost_at", args.watch.lost_at, replicas, DType::i64);
    expect_present("active", args.watch.active);
    expect_optional("active", args.watch.active, replicas, DType::i32);
  }
  if (args.value.shape.elements() == 0) return;
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, args); }, [&](auto& c) { cuda::run(c, args); });
}

}  // namespace genexx::accumulate

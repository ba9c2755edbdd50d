// SPDX-License-Identifier: Apache-2.0
#include "kernels/schedule.h"

#include "kernels/dispatch.h"

namespace genexx::schedule {

void run(Context& ctx, const Args& a) {
  expect_present("step", a.step);
  expect_present("base_lr", a.base_lr);
  expect_present("lr", a.lr);
  expect_dtype("step", a.step, DType::i64);
  expect_dtype("base_lr", a.base_lr, DType::f64);
  expect_dtype("lr", a.lr, DType::f64);
  expect_shape("base_lr", a.base_lr, a.step.shape);
  expect_shape("lr", a.lr, a.step.shape);
  expect_separate("lr", a.lr, "base_lr", a.base_lr);
  if (a.every < 1)
    throw ShapeError("every is " + std::to_string(a.every) + ", expected at least 1", CodeLocation::here());
  on_device(
      ctx, [&](CpuContext& c) { cpu::run(c, a); }, [&](auto& c) { cuda::run(c, a); });
}

}  // namespace genexx::schedule

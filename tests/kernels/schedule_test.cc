// SPDX-License-Identifier: Apache-2.0
#include "kernels/schedule.h"

#include "tests/oracle/schedule_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

TEST_CASE("schedule: literals around a fall of the rate") {
  on_every_device([](Context& ctx) {
    const DeviceArray step(ctx, {3}, std::vector<std::int64_t>{18, 19, 39});
    const DeviceArray base(ctx, {3}, std::vector<double>{0.1, 0.1, 1.0}), lr(ctx, {3}, DType::f64);

    schedule::run(ctx, {.step = step, .base_lr = base, .lr = lr, .factor = 0.99, .every = 20});

    CHECK(step.download<std::int64_t>() == std::vector<std::int64_t>{19, 20, 40});
    expect_close(lr.values(), {0.1, 0.099, 0.9801}, {.k = 2});
  });
}

TEST_CASE("schedule: a thousand steps agree with the oracle's repeated product") {
  on_every_device([](Context& ctx) {
    const DeviceArray step(ctx, {1}, std::vector<std::int64_t>{0});
    const DeviceArray base(ctx, {1}, std::vector<double>{0.3}), lr(ctx, {1}, DType::f64);

    for (int i = 0; i < 1000; ++i)
      schedule::run(ctx, {.step = step, .base_lr = base, .lr = lr, .factor = 0.99, .every = 7});

    expect_close(lr.values(), {oracle::scheduled_rate(0.3, 0.99, 7, 1000)}, {.k = 256, .scale = 0.1});
  });
}

TEST_CASE("schedule: agrees with torch.optim.lr_scheduler.StepLR") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("schedule")) {
      const DeviceArray step(ctx, {1}, std::vector<std::int64_t>{0}), lr(ctx, {1}, g["base"]),
          base(ctx, {1}, g["base"]);
      for (const double rate : g["rates"]) {  // of step 0, 1, ...
        expect_close(lr.values(), {rate}, {.k = 16, .scale = 0});
        schedule::run(
            ctx, {.step = step, .base_lr = base, .lr = lr, .factor = g.number("factor"), .every = g.size("every")});
      }
    }
  });
}

TEST_CASE("schedule: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray step(ctx, {2}, DType::i64), base(ctx, {3}, DType::f64), lr(ctx, {2}, DType::f64);

  CHECK_THROWS_WITH_AS(schedule::run(ctx, {.step = step, .base_lr = base, .lr = lr}),
                       doctest::Contains("base_lr is [3], expected [2]"), ShapeError);
}

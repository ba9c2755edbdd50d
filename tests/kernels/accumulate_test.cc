// SPDX-License-Identifier: Apache-2.0
#include "kernels/accumulate.h"

#include <cmath>
#include <limits>

#include "tests/oracle/accumulate_oracle.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

TEST_CASE("accumulate: literals") {
  on_every_device([](Context& ctx) {
    const DeviceArray value(ctx, {3}, std::vector<double>{1, -2, 0.5}), sum(ctx, {3}, std::vector<double>{10, 20, 30});

    accumulate::run(ctx, {.value = value, .weight = 4, .sum = sum});

    expect_close(sum.values(), {14, 12, 32}, {});
  });
}

TEST_CASE("accumulate: agrees with the oracle at every size around the block") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t n : {1, 31, 32, 33, 255, 256, 257, 20000}) {
      CAPTURE(n);
      const std::vector<double> v = random_values(n, 1), s = random_values(n, 2);
      const DeviceArray value(ctx, {n}, v), sum(ctx, {n}, s);

      accumulate::run(ctx, {.value = value, .weight = 0.3, .sum = sum});

      expect_close(sum.values(), oracle::accumulate(0.3, v, s), {.k = 1});
    }
  });
}

TEST_CASE("accumulate: the first value that is not finite is put down with its step, once, and its replica put out") {
  on_every_device([](Context& ctx) {
    const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
    const DeviceArray value(ctx, {2, 5}, std::vector<double>{1, nan, 3, -inf, 5, 6, 7, inf, 9, 10});
    const DeviceArray sum(ctx, {2, 5}, std::vector<double>(10, 1.0));
    const DeviceArray step(ctx, {5}, std::vector<std::int64_t>{7, 7, 7, 7, 0});
    const DeviceArray lost_at(ctx, {5}, std::vector<std::int64_t>{-1, -1, -1, 2, -1});
    const DeviceArray active(ctx, {5}, std::vector<std::int32_t>{1, 1, 1, 1, 1});

    accumulate::run(
        ctx, {.value = value, .weight = 2, .sum = sum, .watch = {.step = step, .lost_at = lost_at, .active = active}});

    CHECK(lost_at.download<std::int64_t>() == std::vector<std::int64_t>{-1, 7, 7, 2, -1});
    CHECK(active.download<std::int32_t>() == std::vector<std::int32_t>{1, 0, 0, 1, 1});
    const std::vector<double> sums = sum.values();
    CHECK(sums[0] == 3);
    CHECK(std::isnan(sums[1]));
    CHECK(sums[2] == 7);
    CHECK(sums[7] == inf);
    CHECK(sums[9] == 21);
  });
}

TEST_CASE("accumulate: watched sums and watches agree with the oracle around the block") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t r : {1, 31, 257, 3000}) {
      CAPTURE(r);
      const auto replicas = static_cast<std::size_t>(r);
      std::vector<double> v = random_values(3 * r, 1);
      const std::vector<double> s = random_values(3 * r, 2);
      for (std::size_t i = 0; i < v.size(); i += 13) v[i] = i % 2 ? std::nan("") : -1 / 0.0;
      const DeviceArray value(ctx, {3, r}, v), sum(ctx, {3, r}, s);
      const std::vector<std::int64_t> steps(replicas, 4);
      const DeviceArray step(ctx, {r}, steps), lost_at(ctx, {r}, std::vector<std::int64_t>(replicas, -1));
      const DeviceArray active(ctx, {r}, std::vector<std::int32_t>(replicas, 1));

      accumulate::run(
          ctx,
          {.value = value, .weight = 0.3, .sum = sum, .watch = {.step = step, .lost_at = lost_at, .active = active}});

      const oracle::Watch want =
          oracle::watch(v, steps, {std::vector<std::int64_t>(replicas, -1), std::vector<std::int32_t>(replicas, 1)});
      CHECK(lost_at.download<std::int64_t>() == want.lost_at);
      CHECK(active.download<std::int32_t>() == want.active);
      const std::vector<double> sums = sum.values(), expected = oracle::accumulate(0.3, v, s);
      for (std::size_t i = 0; i < v.size(); ++i)
        if (std::isfinite(v[i])) expect_close({sums[i]}, {expected[i]}, {.k = 1});
    }
  });
}

TEST_CASE("accumulate: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray value(ctx, {3}, DType::f64), other(ctx, {4}, DType::f64), single(ctx, {3}, DType::f32);

  CHECK_THROWS_WITH_AS(accumulate::run(ctx, {.value = value, .sum = other}),
                       doctest::Contains("sum is [4], expected [3]"), ShapeError);
  CHECK_THROWS_WITH_AS(accumulate::run(ctx, {.value = value, .sum = single}),
                       doctest::Contains("sum is f32, expected f64"), ShapeError);
  CHECK_THROWS_WITH_AS(accumulate::run(ctx, {.value = value, .sum = value}), doctest::Contains("overlaps"), ShapeError);
  const DeviceArray pair(ctx, {1, 3}, DType::f64), target(ctx, {1, 3}, DType::f64), few(ctx, {2}, DType::i64),
      step(ctx, {3}, DType::i64), active(ctx, {3}, DType::i32);
  CHECK_THROWS_WITH_AS(
      accumulate::run(ctx, {.value = pair, .sum = target, .watch = {.step = step, .lost_at = few, .active = active}}),
      doctest::Contains("lost_at is [2], expected [3]"), ShapeError);
  CHECK_THROWS_WITH_AS(
      accumulate::run(ctx, {.value = value, .sum = other, .watch = {.step = step, .lost_at = step, .active = active}}),
      doctest::Contains("expected"), ShapeError);
}

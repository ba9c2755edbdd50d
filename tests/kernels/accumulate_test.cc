// SPDX-License-Identifier: Apache-2.0
#include "kernels/accumulate.h"

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

TEST_CASE("accumulate: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray value(ctx, {3}, DType::f64), other(ctx, {4}, DType::f64), single(ctx, {3}, DType::f32);

  CHECK_THROWS_WITH_AS(accumulate::run(ctx, {.value = value, .sum = other}),
                       doctest::Contains("sum is [4], expected [3]"), ShapeError);
  CHECK_THROWS_WITH_AS(accumulate::run(ctx, {.value = value, .sum = single}),
                       doctest::Contains("sum is f32, expected f64"), ShapeError);
  CHECK_THROWS_WITH_AS(accumulate::run(ctx, {.value = value, .sum = value}), doctest::Contains("overlaps"), ShapeError);
}

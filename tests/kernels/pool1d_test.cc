// SPDX-License-Identifier: Apache-2.0
#include "kernels/pool1d.h"

#include <array>
#include <cmath>

#include "tests/oracle/pool1d_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::Pool1dKind;
using oracle::Pool1dSizes;

namespace {

constexpr std::array kKinds = {pool1d::Kind::max, pool1d::Kind::average};

Pool1dKind of_oracle(pool1d::Kind kind) { return kind == pool1d::Kind::max ? Pool1dKind::max : Pool1dKind::average; }

// Whole windows, a tail that is left out, windows of one position, one window, no whole window, wide channels.
const std::vector<Pool1dSizes> kSizes = {{2, 12, 3, 4}, {3, 11, 2, 3}, {1, 5, 4, 1},
                                         {2, 7, 1, 7},  {2, 3, 2, 4},  {3, 64, 33, 2}};

Shape x_shape(const Pool1dSizes& s) { return {1, s.n, s.length, s.channels}; }
Shape y_shape(const Pool1dSizes& s) { return {1, s.n, s.length / s.window, s.channels}; }

}  // namespace

TEST_CASE("pool1d: literals, the first of equal values is the largest") {
  on_every_device([](Context& ctx) {
    const DeviceArray x(ctx, {1, 1, 5, 2}, std::vector<double>{1, 8, 3, -2, 3, 5, -1, 5, 100, 100});
    const DeviceArray dy(ctx, {1, 1, 2, 2}, std::vector<double>{10, 20, 30, 40});
    const DeviceArray y(ctx, {1, 1, 2, 2}, DType::f64), mean(ctx, {1, 1, 2, 2}, DType::f64);
    const DeviceArray dx(ctx, {1, 1, 5, 2}, DType::f64), spread(ctx, {1, 1, 5, 2}, DType::f64, Fill::huge);

    pool1d::forward(ctx, {.x = x, .y = y, .window = 2});
    pool1d::forward(ctx, {.x = x, .y = mean, .window = 2, .kind = pool1d::Kind::average});
    pool1d::backward(ctx, {.x = x, .dy = dy, .dx = dx, .window = 2});
    pool1d::backward(ctx, {.x = x, .dy = dy, .dx = spread, .window = 2, .kind = pool1d::Kind::average});

    expect_close(y.values(), {3, 8, 3, 5}, {});
    expect_close(mean.values(), {2, 3, 1, 5}, {});
    expect_close(dx.values(), {0, 20, 10, 0, 30, 40, 0, 0, 0, 0}, {});
    expect_close(spread.values(), {5, 10, 5, 10, 15, 20, 15, 20, 0, 0}, {});
  });
}

TEST_CASE("pool1d: agrees with the oracle and complex step, overwriting and adding") {
  on_every_device([](Context& ctx) {
    for (const Pool1dSizes& s : kSizes)
      for (const pool1d::Kind kind : kKinds) {
        CAPTURE(s.length);
        CAPTURE(s.window);
        const std::vector<double> x = random_values(s.n * s.length * s.channels, 1);
        const std::vector<double> dy = random_values(y_shape(s).elements(), 2), before = random_values(x.size(), 3);
        const std::vector<double> gradient = complex_step(
            [&](const std::vector<Complex>& z) { return weighted_sum(dy, oracle::pool1d(s, of_oracle(kind), z)); }, x);
        for_float_types([&](auto zero) {
          using T = decltype(zero);
          const DType t = DTypeOf<T>::value;
          const DeviceArray in(ctx, x_shape(s), cast<T>(x)), reaching(ctx, y_shape(s), cast<T>(dy));
          const DeviceArray y(ctx, y_shape(s), t), dx(ctx, x_shape(s), t), sum(ctx, x_shape(s), cast<T>(before));

          pool1d::forward(ctx, {.x = in, .y = y, .window = s.window, .kind = kind});
          pool1d::backward(ctx, {.x = in, .dy = reaching, .dx = dx, .window = s.window, .kind = kind});
          pool1d::backward(
              ctx,
              {.x = in, .dy = reaching, .dx = sum, .window = s.window, .kind = kind, .mode = WriteMode::accumulate});

          const Tolerance close = {.k = 2.0 + static_cast<double>(s.window), .dtype = t};
          expect_close(y.values(), oracle::pool1d(s, of_oracle(kind), x), close);
          expect_close(dx.values(), gradient, close);
          expect_close(sum.values(), added(before, gradient), close);
        });
      }
  });
}

TEST_CASE("pool1d: more elements than one grid agree with the oracle") {
  on_every_device([](Context& ctx) {
    const Pool1dSizes s = {70, 1000, 5, 2};
    const std::vector<double> x = random_values(s.n * s.length * s.channels, 1),
                              dy = random_values(y_shape(s).elements(), 2);
    const DeviceArray in(ctx, x_shape(s), cast<float>(x)), reaching(ctx, y_shape(s), cast<float>(dy));
    const DeviceArray y(ctx, y_shape(s), DType::f32), dx(ctx, x_shape(s), DType::f32);

    pool1d::forward(ctx, {.x = in, .y = y, .window = 2});
    pool1d::backward(ctx, {.x = in, .dy = reaching, .dx = dx, .window = 2, .kind = pool1d::Kind::average});

    const std::vector<double> spread = dx.values();
    expect_close(y.values(), oracle::pool1d(s, Pool1dKind::max, x), {.k = 1, .dtype = DType::f32});
    for (std::size_t i = 0; i < spread.size(); i += 4999)
      CHECK(spread[i] == doctest::Approx(dy[i / 10 * 5 + i % 5] / 2).epsilon(1e-6));
  });
}

TEST_CASE("pool1d: a NaN is the largest of its window, the first where there are two") {
  on_every_device([](Context& ctx) {
    const double nan = std::nan("");
    const DeviceArray x(ctx, {1, 1, 8, 1}, std::vector<double>{nan, 2, 1, nan, 4, 5, nan, nan});
    const DeviceArray y(ctx, {1, 1, 4, 1}, DType::f64), dy(ctx, {1, 1, 4, 1}, std::vector<double>{1, 2, 3, 4});
    const DeviceArray dx(ctx, {1, 1, 8, 1}, DType::f64);

    pool1d::forward(ctx, {.x = x, .y = y, .window = 2});
    pool1d::backward(ctx, {.x = x, .dy = dy, .dx = dx, .window = 2});

    CHECK(std::isnan(y.values()[0]));
    CHECK(std::isnan(y.values()[1]));
    CHECK(y.values()[2] == 5);
    CHECK(std::isnan(y.values()[3]));
    expect_close(dx.values(), {1, 0, 0, 2, 0, 3, 4, 0}, {});  // the first of two
  });
}

TEST_CASE("pool1d: replicas give the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3;
    const std::vector<float> x = cast<float>(random_values(r * 4 * 9 * 2, 1)),
                             dy = cast<float>(random_values(r * 4 * 3 * 2, 2));
    const auto run = [&](std::int64_t replicas, const auto& of_x, const auto& of_dy) {
      const DeviceArray in(ctx, {replicas, 4, 9, 2}, of_x), reaching(ctx, {replicas, 4, 3, 2}, of_dy);
      const DeviceArray y(ctx, {replicas, 4, 3, 2}, DType::f32), dx(ctx, {replicas, 4, 9, 2}, DType::f32);
      pool1d::forward(ctx, {.x = in, .y = y, .window = 3});
      pool1d::backward(ctx, {.x = in, .dy = reaching, .dx = dx, .window = 3});
      return std::array{y.download<float>(), dx.download<float>()};
    };

    const auto joint = run(r, x, dy);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto alone = run(1, replica_part(x, k, r), replica_part(dy, k, r));
      for (std::size_t i = 0; i < joint.size(); ++i) expect_equal_bits(alone[i], replica_part(joint[i], k, r));
    }
  });
}

TEST_CASE("pool1d: agrees with torch.nn.MaxPool1d and AvgPool1d") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("pool1d")) {
      CAPTURE(g.name());
      const Pool1dSizes s = {g.size("n"), g.size("l"), g.size("c"), g.size("window")};
      const pool1d::Kind kind = g.size("average") == 1 ? pool1d::Kind::average : pool1d::Kind::max;
      const DeviceArray x(ctx, x_shape(s), g["x"]), dy(ctx, y_shape(s), g["dy"]);
      const DeviceArray y(ctx, y_shape(s), DType::f64), dx(ctx, x_shape(s), DType::f64);

      pool1d::forward(ctx, {.x = x, .y = y, .window = s.window, .kind = kind});
      pool1d::backward(ctx, {.x = x, .dy = dy, .dx = dx, .window = s.window, .kind = kind});

      expect_close(y.values(), g["y"], {.k = 4});
      expect_close(dx.values(), g["dx"], {.k = 4});
    }
  });
}

TEST_CASE("pool1d: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {1, 4, 9, 2}, DType::f32), y(ctx, {1, 4, 4, 2}, DType::f32),
      y64(ctx, {1, 4, 4, 2}, DType::f64);

  CHECK_THROWS_WITH_AS(pool1d::forward(ctx, {.x = x, .y = y, .window = 3}),
                       doctest::Contains("y is [1, 4, 4, 2], expected [1, 4, 3, 2]"), ShapeError);
  CHECK_THROWS_WITH_AS(pool1d::forward(ctx, {.x = x, .y = y, .window = 0}),
                       doctest::Contains("window is 0, expected at least 1"), ShapeError);
  CHECK_THROWS_WITH_AS(pool1d::forward(ctx, {.x = x, .y = y64, .window = 2}),
                       doctest::Contains("y is f64, expected f32"), ShapeError);
  CHECK_THROWS_WITH_AS(pool1d::backward(ctx, {.x = x, .dy = y, .window = 2}), doctest::Contains("dx is absent"),
                       ShapeError);
}

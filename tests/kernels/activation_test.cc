// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation.h"

#include "tests/oracle/activation_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;
using activation::Kind;

namespace {

constexpr Kind kKinds[] = {Kind::relu, Kind::tanh, Kind::sigmoid};

// Within 4 ulp for f32 (two for the function, the rest for the C library it is compared with).
Tolerance tolerance(DType t) { return {.k = 4, .dtype = t, .scale = t == DType::f32 ? 1e-3 : 1e-3}; }

template <class T>
std::vector<double> forward(Context& ctx, Kind kind, const std::vector<double>& x, Fill fill) {
  const Shape shape = {static_cast<std::int64_t>(x.size())};
  const DeviceArray in(ctx, shape, cast<T>(x));
  const DeviceArray out(ctx, shape, DTypeOf<T>::value, fill);
  activation::forward(ctx, {.kind = kind, .x = in, .y = out});
  return out.values();
}

}  // namespace

TEST_CASE("activation: literals") {
  on_every_device([](Context& ctx) {
    const std::vector<double> x = {-2.0, -0.5, 0.0, 0.25, 3.0};

    const std::vector<double> relu = forward<double>(ctx, Kind::relu, x, Fill::nan);
    const std::vector<double> tanh = forward<double>(ctx, Kind::tanh, x, Fill::nan);
    const std::vector<double> sigmoid = forward<double>(ctx, Kind::sigmoid, x, Fill::nan);

    expect_close(relu, {0.0, 0.0, 0.0, 0.25, 3.0}, {});
    expect_close(tanh, {-0.96402758007581688, -0.46211715726000975, 0.0, 0.24491866240370913, 0.99505475368673045},
                 {.k = 2});
    expect_close(sigmoid, {0.11920292202211755, 0.37754066879814541, 0.5, 0.56217650088579807, 0.95257412682243336},
                 {.k = 2});
  });
}

TEST_CASE("activation: forward agrees with the oracle at every size around the vector width") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t n : {1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 257}) {
      CAPTURE(n);
      const std::vector<double> x = random_values(n, 5, -9, 9);
      for (const Kind kind : kKinds) {
        CAPTURE(static_cast<int>(kind));
        const std::vector<double> expected = oracle::activation(kind, x);
        expect_close(forward<float>(ctx, kind, x, Fill::nan), expected, tolerance(DType::f32));
        expect_close(forward<double>(ctx, kind, x, Fill::huge), expected, tolerance(DType::f64));
      }
    }
  });
}

TEST_CASE("activation: more elements than one range and one grid") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 300'001;  // over 1056 blocks of 256 threads, 19 ranges
    const std::vector<double> x = random_values(n, 6, -2, 2), dy = random_values(n, 7);
    const DeviceArray y(ctx, {n}, cast<float>(x)), gradient(ctx, {n}, cast<float>(dy)), dx(ctx, {n}, DType::f32);
    std::vector<double> expected(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) expected[i] = dy[i] * (1 - x[i] * x[i]);

    activation::backward(ctx, {.kind = Kind::tanh, .y = y, .dy = gradient, .dx = dx});

    expect_close(forward<float>(ctx, Kind::tanh, x, Fill::nan), oracle::activation(Kind::tanh, x),
                 tolerance(DType::f32));
    expect_close(dx.values(), expected, {.k = 8, .dtype = DType::f32});
  });
}

TEST_CASE("activation: extreme inputs saturate and NaN stays NaN") {
  on_every_device([](Context& ctx) {
    const double inf = std::numeric_limits<double>::infinity();
    const std::vector<double> x = {-1e4, 1e4, -inf, inf, 100.0, -100.0, 1e-40, -1e-6};

    expect_close(forward<float>(ctx, Kind::tanh, x, Fill::nan), {-1, 1, -1, 1, 1, -1, 0, -1e-6},
                 {.k = 2, .dtype = DType::f32, .scale = 1e-6});
    expect_close(forward<float>(ctx, Kind::sigmoid, x, Fill::nan), {0, 1, 0, 1, 1, 0, 0.5, 0.49999975},
                 {.k = 2, .dtype = DType::f32, .scale = 1e-3});
    for (const Kind kind : kKinds) {
      const std::vector<double> y = forward<float>(ctx, kind, {std::nan(""), 1.0}, Fill::huge);
      CHECK(std::isnan(y[0]));
      CHECK_FALSE(std::isnan(y[1]));
    }
  });
}

TEST_CASE("activation: backward matches complex step, in both write modes") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 37;
    const std::vector<double> x = random_values(n, 1, -3, 3);
    const std::vector<double> dy = random_values(n, 2);
    const std::vector<double> before = random_values(n, 3);
    for (const Kind kind : kKinds) {
      CAPTURE(static_cast<int>(kind));
      const std::vector<double> expected =
          complex_step([&](const std::vector<Complex>& z) { return weighted_sum(dy, oracle::activation(kind, z)); }, x);
      const DeviceArray y(ctx, {n}, oracle::activation(kind, x));
      const DeviceArray gradient(ctx, {n}, dy);
      const DeviceArray fresh(ctx, {n}, DType::f64);
      const DeviceArray added(ctx, {n}, before);

      activation::backward(ctx, {.kind = kind, .y = y, .dy = gradient, .dx = fresh});
      activation::backward(ctx, {.kind = kind, .y = y, .dy = gradient, .dx = added, .mode = WriteMode::accumulate});

      expect_close(fresh.values(), expected, {.k = 8});
      std::vector<double> sum = expected;
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += before[i];
      expect_close(added.values(), sum, {.k = 8});
    }
  });
}

TEST_CASE("activation: relu has subgradient zero at zero") {
  on_every_device([](Context& ctx) {
    const DeviceArray y(ctx, {2}, std::vector<double>{0.0, 2.0});
    const DeviceArray dy(ctx, {2}, std::vector<double>{5.0, 7.0});
    const DeviceArray dx(ctx, {2}, DType::f64);

    activation::backward(ctx, {.kind = Kind::relu, .y = y, .dy = dy, .dx = dx});

    expect_close(dx.values(), {0.0, 7.0}, {});
  });
}

TEST_CASE("activation: in place gives the bits of out of place") {
  on_every_device([](Context& ctx) {
    const std::vector<float> x = cast<float>(random_values(1000, 9, -4, 4));
    const DeviceArray in(ctx, {1000}, x), out(ctx, {1000}, DType::f32), both(ctx, {1000}, x);

    activation::forward(ctx, {.kind = Kind::tanh, .x = in, .y = out});
    activation::forward(ctx, {.kind = Kind::tanh, .x = both, .y = both});

    expect_equal_bits(out.download<float>(), both.download<float>());
  });
}

TEST_CASE("activation: agrees with PyTorch") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("activation")) {
      CAPTURE(g.name());
      const Kind kind = g.name() == "relu" ? Kind::relu : g.name() == "tanh" ? Kind::tanh : Kind::sigmoid;
      const auto n = static_cast<std::int64_t>(g["x"].size());
      const DeviceArray y(ctx, {n}, g["y"]), dy(ctx, {n}, g["dy"]), dx(ctx, {n}, DType::f64);

      activation::backward(ctx, {.kind = kind, .y = y, .dy = dy, .dx = dx});

      expect_close(forward<double>(ctx, kind, g["x"], Fill::nan), g["y"], {.k = 4, .scale = 0.01});
      expect_close(dx.values(), g["dx"], {.k = 4});
    }
  });
}

TEST_CASE("activation: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {2, 3}, DType::f32), y(ctx, {3, 2}, DType::f32), z(ctx, {2, 3}, DType::f64);

  CHECK_THROWS_WITH_AS(activation::forward(ctx, {.x = x, .y = y}), doctest::Contains("y is [3, 2], expected [2, 3]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(activation::forward(ctx, {.x = x, .y = z}), doctest::Contains("y is f64, expected f32"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(activation::backward(ctx, {.y = x, .dx = x}), doctest::Contains("dy is absent"), ShapeError);
}

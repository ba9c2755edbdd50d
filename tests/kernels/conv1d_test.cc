// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d.h"

#include <array>
#include <cmath>

#include "tests/oracle/conv1d_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::Conv1dSizes;

namespace {

struct Case {
  Conv1dSizes s;
  std::vector<double> x, weight, bias, dy;
  Shape x_shape(std::int64_t r = 1) const { return {r, s.n, s.length, s.channels}; }
  Shape weight_shape(std::int64_t r = 1) const { return {r, s.filters, s.kernel, s.channels}; }
  Shape y_shape(std::int64_t r = 1) const { return {r, s.n, s.windows, s.filters}; }
  conv1d::Placement placement() const { return {s.stride, s.padding}; }
  std::int64_t window() const { return s.kernel * s.channels; }
};

Case random_case(const Conv1dSizes& s, std::int64_t r = 1, double x_mean = 0) {
  return {s, random_values(r * s.n * s.length * s.channels, 1, x_mean - 1, x_mean + 1),
          random_values(r * s.filters * s.kernel * s.channels, 2), random_values(r * s.filters, 3),
          random_values(r * s.n * s.windows * s.filters, 4)};
}

// n, length, channels, windows, filters, kernel, stride, padding: one position, one window, windows with gaps between
// them and behind them, zeros on either side, more windows than one block of gradients, wide channels.
const std::vector<Conv1dSizes> kSizes = {
    {1, 1, 1, 1, 1, 1, 1, 0},    {2, 7, 1, 7, 3, 3, 1, 1},   {9, 33, 2, 11, 5, 4, 3, 2}, {3, 10, 3, 3, 2, 2, 4, 0},
    {2, 32, 5, 32, 33, 5, 1, 2}, {1, 31, 4, 1, 7, 31, 1, 0}, {1, 5, 2, 4, 2, 4, 2, 3},   {2, 300, 1, 298, 2, 3, 1, 0},
    {17, 12, 2, 4, 3, 5, 3, 1},  {2, 9, 2, 2, 3, 3, 4, 0}};

struct Gradients {
  std::vector<double> dx, dweight, dbias;
};

// From y's weighted sum, by complex step on the oracle.
Gradients complex_gradients(const Case& c) {
  const auto complex = [](const std::vector<double>& v) { return std::vector<Complex>(v.begin(), v.end()); };
  const std::vector<Complex> x = complex(c.x), w = complex(c.weight), b = complex(c.bias);
  const auto loss = [&](const auto& zx, const auto& zw, const auto& zb) {
    return weighted_sum(c.dy, oracle::conv1d(c.s, zx, zw, zb));
  };
  return {complex_step([&](const std::vector<Complex>& z) { return loss(z, w, b); }, c.x),
          complex_step([&](const std::vector<Complex>& z) { return loss(x, z, b); }, c.weight),
          complex_step([&](const std::vector<Complex>& z) { return loss(x, w, z); }, c.bias)};
}

template <class T>
Gradients run_backward(Context& ctx, const Case& c, Fill fill) {
  const DeviceArray x(ctx, c.x_shape(), cast<T>(c.x)), w(ctx, c.weight_shape(), cast<T>(c.weight));
  const DeviceArray dy(ctx, c.y_shape(), cast<T>(c.dy));
  const DType t = DTypeOf<T>::value;
  const DeviceArray dx(ctx, c.x_shape(), t, fill), dw(ctx, c.weight_shape(), t, fill),
      db(ctx, {1, c.s.filters}, t, fill);
  conv1d::backward(ctx,
                   {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db, .placement = c.placement()});
  return {dx.values(), dw.values(), db.values()};
}

// `terms` products of numbers below 1 are added: at most as many roundings, and one more for each product and the bias.
Tolerance sum_of(std::int64_t terms, DType t, double scale = 1) {
  return {.k = 2.0 + static_cast<double>(terms), .dtype = t, .scale = scale};
}

void expect_gradients(const Gradients& got, const Gradients& expected, const Case& c, DType t) {
  expect_close(got.dx, expected.dx, sum_of(c.s.filters * c.s.kernel, t));
  expect_close(got.dweight, expected.dweight, sum_of(c.s.n * c.s.windows, t));
  expect_close(got.dbias, expected.dbias, sum_of(c.s.n * c.s.windows, t));
}

}  // namespace

TEST_CASE("conv1d: literals with zeros before and behind") {
  on_every_device([](Context& ctx) {
    // Three positions of two channels, one filter of two taps, a stride of 2, one zero before: windows at -1 and 1.
    const DeviceArray x(ctx, {1, 1, 3, 2}, std::vector<double>{1, 2, 3, -4, 5, 6});
    const DeviceArray w(ctx, {1, 1, 2, 2}, std::vector<double>{10, 20, 0.5, -1});
    const DeviceArray b(ctx, {1, 1}, std::vector<double>{0.25}), dy(ctx, {1, 1, 2, 1}, std::vector<double>{1, -2});
    const DeviceArray y(ctx, {1, 1, 2, 1}, DType::f64), dx(ctx, {1, 1, 3, 2}, DType::f64),
        dw(ctx, {1, 1, 2, 2}, DType::f64), db(ctx, {1, 1}, DType::f64);
    const conv1d::Placement placement = {.stride = 2, .padding = 1};

    conv1d::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y, .placement = placement});
    conv1d::backward(ctx,
                     {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db, .placement = placement});

    expect_close(y.values(), {0.25 + 0.5 - 2, 0.25 + 30 - 80 + 2.5 - 6}, {});
    expect_close(dx.values(), {0.5, -1, -20, -40, -1, 2}, {});
    expect_close(dw.values(), {-6, 8, 1 - 10, 2 - 12}, {});
    expect_close(db.values(), {-1}, {});
  });
}

TEST_CASE("conv1d: forward agrees with the oracle, with and without bias") {
  on_every_device([](Context& ctx) {
    for (const Conv1dSizes& s : kSizes) {
      CAPTURE(s.length);
      CAPTURE(s.kernel);
      const Case c = random_case(s);
      for_float_types([&](auto zero) {
        using T = decltype(zero);
        const DType t = DTypeOf<T>::value;
        const DeviceArray x(ctx, c.x_shape(), cast<T>(c.x)), w(ctx, c.weight_shape(), cast<T>(c.weight));
        const DeviceArray b(ctx, {1, s.filters}, cast<T>(c.bias));
        const DeviceArray y(ctx, c.y_shape(), t), bare(ctx, c.y_shape(), t, Fill::huge);

        conv1d::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y, .placement = c.placement()});
        conv1d::forward(ctx, {.x = x, .weight = w, .y = bare, .placement = c.placement()});

        expect_close(y.values(), oracle::conv1d(s, c.x, c.weight, c.bias), sum_of(c.window(), t));
        expect_close(bare.values(), oracle::conv1d(s, c.x, c.weight, {}), sum_of(c.window(), t));
      });
    }
  });
}

TEST_CASE("conv1d: backward matches complex step for input, weight and bias") {
  on_every_device([](Context& ctx) {
    for (const Conv1dSizes& s : kSizes) {
      if (s.n * s.length * s.channels * s.filters * s.kernel > 6000) continue;  // one oracle call for each number
      CAPTURE(s.length);
      CAPTURE(s.kernel);
      const Case c = random_case(s);
      const Gradients expected = complex_gradients(c);

      expect_gradients(run_backward<double>(ctx, c, Fill::nan), expected, c, DType::f64);
      expect_gradients(run_backward<float>(ctx, c, Fill::huge), expected, c, DType::f32);
    }
  });
}

TEST_CASE("conv1d: a gradient is the adjoint of the map where sizes are large") {
  on_every_device([](Context& ctx) {
    // <dy, conv(x)> = <dx, x> without bias, and likewise in the weights, whatever the sizes.
    const Case c = random_case({11, 700, 3, 350, 9, 6, 2, 2});
    const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
      double sum = 0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
      return sum;
    };
    const double along = dot(c.dy, oracle::conv1d(c.s, c.x, c.weight, {}));

    const Gradients got = run_backward<double>(ctx, c, Fill::nan);

    CHECK(std::abs(dot(got.dx, c.x) - along) < 1e-12 * 11 * 700 * 3);
    CHECK(std::abs(dot(got.dweight, c.weight) - along) < 1e-12 * 11 * 700 * 3);
  });
}

TEST_CASE("conv1d: the gradients of many positions with a mean of 1e4 keep their digits") {
  on_every_device([](Context& ctx) {
    Case c = random_case({9, 257, 1, 257, 3, 3, 1, 1});
    for (double& v : c.dy) v = static_cast<float>(v + 1e4);
    std::vector<double> expected(3);
    for (std::size_t i = 0; i < c.dy.size(); ++i) expected[i % 3] += c.dy[i];

    expect_close(run_backward<float>(ctx, c, Fill::nan).dbias, expected, {.k = 2, .dtype = DType::f32});
  });
}

TEST_CASE("conv1d: accumulating adds, and outputs not wanted are left out") {
  on_every_device([](Context& ctx) {
    const Case c = random_case({3, 9, 2, 4, 5, 4, 2, 1});
    const Gradients fresh = run_backward<double>(ctx, c, Fill::nan);
    const std::vector<double> before_x = random_values(54, 5), before_w = random_values(40, 6),
                              before_b = random_values(5, 7);
    const DeviceArray x(ctx, c.x_shape(), c.x), w(ctx, c.weight_shape(), c.weight), dy(ctx, c.y_shape(), c.dy);
    const DeviceArray dx(ctx, c.x_shape(), before_x), dw(ctx, c.weight_shape(), before_w), db(ctx, {1, 5}, before_b);
    const DeviceArray only_x(ctx, c.x_shape(), DType::f64), only_w(ctx, c.weight_shape(), DType::f64);
    const DeviceArray only_b(ctx, {1, 5}, DType::f64);
    const auto backward = [&](const Tensor& to_x, const Tensor& to_w, const Tensor& to_b, WriteMode mode) {
      conv1d::backward(ctx, {.x = x,
                             .weight = w,
                             .dy = dy,
                             .dx = to_x,
                             .dweight = to_w,
                             .dbias = to_b,
                             .placement = c.placement(),
                             .mode = mode});
    };

    backward(dx, dw, db, WriteMode::accumulate);
    backward(only_x, {}, {}, WriteMode::overwrite);
    backward({}, only_w, {}, WriteMode::overwrite);
    backward({}, {}, only_b, WriteMode::overwrite);

    expect_close(dx.values(), added(before_x, fresh.dx), {.k = 24, .scale = 4});
    expect_close(dw.values(), added(before_w, fresh.dweight), {.k = 16, .scale = 4});
    expect_close(db.values(), added(before_b, fresh.dbias), {.k = 16, .scale = 4});
    expect_equal_bits(only_x.values(), fresh.dx);
    expect_equal_bits(only_w.values(), fresh.dweight);
    expect_equal_bits(only_b.values(), fresh.dbias);
  });
}

TEST_CASE("conv1d: replicas give the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3;
    const Case c = random_case({10, 40, 2, 20, 5, 7, 2, 3}, r);
    const auto run = [&](std::int64_t replicas, const auto& of_x, const auto& of_w, const auto& of_b,
                         const auto& of_dy) {
      const DeviceArray x(ctx, c.x_shape(replicas), of_x), w(ctx, c.weight_shape(replicas), of_w);
      const DeviceArray b(ctx, {replicas, 5}, of_b), dy(ctx, c.y_shape(replicas), of_dy);
      const DeviceArray y(ctx, c.y_shape(replicas), DType::f32), dx(ctx, c.x_shape(replicas), DType::f32);
      const DeviceArray dw(ctx, c.weight_shape(replicas), DType::f32), db(ctx, {replicas, 5}, DType::f32);
      conv1d::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y, .placement = c.placement()});
      conv1d::backward(
          ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db, .placement = c.placement()});
      return std::array{y.download<float>(), dx.download<float>(), dw.download<float>(), db.download<float>()};
    };
    const auto x = cast<float>(c.x), w = cast<float>(c.weight), b = cast<float>(c.bias), dy = cast<float>(c.dy);

    const auto joint = run(r, x, w, b, dy);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto alone =
          run(1, replica_part(x, k, r), replica_part(w, k, r), replica_part(b, k, r), replica_part(dy, k, r));
      for (std::size_t i = 0; i < joint.size(); ++i) expect_equal_bits(alone[i], replica_part(joint[i], k, r));
    }
  });
}

TEST_CASE("conv1d: one thread and several give the same bits") {
  const Case c = random_case({21, 60, 3, 60, 6, 5, 1, 2});
  ThreadPool pool(3);
  CpuContext one, several(&pool);

  const Gradients a = run_backward<float>(one, c, Fill::nan), b = run_backward<float>(several, c, Fill::nan);

  expect_equal_bits(a.dx, b.dx);
  expect_equal_bits(a.dweight, b.dweight);
  expect_equal_bits(a.dbias, b.dbias);
}

TEST_CASE("conv1d: agrees with torch.nn.Conv1d") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("conv1d")) {
      CAPTURE(g.name());
      const Case c = {{g.size("n"), g.size("l"), g.size("c"), g.size("m"), g.size("o"), g.size("k"), g.size("stride"),
                       g.size("padding")},
                      g["x"],
                      g["weight"],
                      g["bias"],
                      g["dy"]};
      const DeviceArray x(ctx, c.x_shape(), c.x), w(ctx, c.weight_shape(), c.weight), b(ctx, {1, c.s.filters}, c.bias);
      const DeviceArray y(ctx, c.y_shape(), DType::f64);

      conv1d::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y, .placement = c.placement()});

      expect_close(y.values(), g["y"], sum_of(c.window(), DType::f64));
      expect_gradients(run_backward<double>(ctx, c, Fill::nan), {g["dx"], g["dweight"], g["dbias"]}, c, DType::f64);
    }
  });
}

TEST_CASE("conv1d: no rows give parameter gradients of zero") {
  on_every_device([](Context& ctx) {
    const Case c = random_case({0, 4, 2, 3, 3, 2, 1, 0});

    const Gradients got = run_backward<double>(ctx, c, Fill::nan);

    expect_close(got.dweight, std::vector<double>(12, 0.0), {});
    expect_close(got.dbias, std::vector<double>(3, 0.0), {});
  });
}

TEST_CASE("conv1d: windows inside a sequence, and centred on it") {
  CHECK(conv1d::windows_inside(10, 3, 1) == 8);
  CHECK(conv1d::windows_inside(10, 3, 4) == 2);
  CHECK(conv1d::windows_inside(2, 3, 1) == 0);
  const conv1d::Centred same = conv1d::windows_centred(10, 3, 1), odd = conv1d::windows_centred(10, 4, 1),
                        strided = conv1d::windows_centred(10, 5, 4), apart = conv1d::windows_centred(10, 1, 4);
  CHECK(same.windows == 10);
  CHECK(same.padding == 1);
  CHECK(odd.windows == 10);
  CHECK(odd.padding == 1);  // and two behind
  CHECK(strided.windows == 3);
  CHECK(strided.padding == 1);
  CHECK(apart.windows == 3);
  CHECK(apart.padding == 0);
}

TEST_CASE("conv1d: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {1, 4, 9, 2}, DType::f32), w(ctx, {1, 3, 5, 2}, DType::f32),
      y(ctx, {1, 4, 5, 3}, DType::f32);
  const DeviceArray w64(ctx, {1, 3, 5, 2}, DType::f64), narrow(ctx, {1, 3, 5, 1}, DType::f32),
      bias(ctx, {1, 4}, DType::f32);
  const DeviceArray flat(ctx, {1, 4, 18}, DType::f32);

  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = flat, .weight = w, .y = y}),
                       doctest::Contains("x is [1, 4, 18], expected [r, n, l, c]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = x, .weight = narrow, .y = y}),
                       doctest::Contains("weight is [1, 3, 5, 1], expected [1, 3, 5, 2]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = x, .weight = w64, .y = y}),
                       doctest::Contains("weight is f64, expected f32"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = x, .weight = w, .bias = bias, .y = y}),
                       doctest::Contains("bias is [1, 4], expected [1, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = x, .weight = w, .y = y, .placement = {.padding = 5}}),
                       doctest::Contains("placement.padding is 5, expected 0 to 4"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = x, .weight = w, .y = y, .placement = {.stride = 0}}),
                       doctest::Contains("placement.stride is 0, expected at least 1"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::forward(ctx, {.x = x, .weight = w, .y = y, .placement = {.stride = 3}}),
                       doctest::Contains("the last of 5 windows begins at position 12, expected one of the 9"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(conv1d::backward(ctx, {.x = x, .weight = w, .dy = y, .dbias = bias}),
                       doctest::Contains("dbias is [1, 4], expected [1, 3]"), ShapeError);
}

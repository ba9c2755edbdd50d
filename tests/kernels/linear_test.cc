// SPDX-License-Identifier: Apache-2.0
#include "kernels/linear.h"

#include <array>

#include "tests/oracle/linear_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::LinearSizes;

namespace {

struct Case {
  std::int64_t n, in, out;
  std::vector<double> x, weight, bias, dy;
  LinearSizes sizes() const { return {n, in, out}; }
};

Case random_case(std::int64_t n, std::int64_t in, std::int64_t out, double x_mean = 0) {
  Case c = {n,
            in,
            out,
            random_values(n * in, 1, x_mean - 1, x_mean + 1),
            random_values(out * in, 2),
            random_values(out, 3),
            random_values(n * out, 4)};
  return c;
}

struct Gradients {
  std::vector<double> dx, dweight, dbias;
};

// From y's weighted sum, by complex step on the oracle.
Gradients complex_gradients(const Case& c) {
  const auto complex = [](const std::vector<double>& v) { return std::vector<Complex>(v.begin(), v.end()); };
  const std::vector<Complex> x = complex(c.x), w = complex(c.weight), b = complex(c.bias);
  const auto loss = [&](const auto& zx, const auto& zw, const auto& zb) {
    return weighted_sum(c.dy, oracle::linear(c.sizes(), zx, zw, zb));
  };
  return {complex_step([&](const std::vector<Complex>& z) { return loss(z, w, b); }, c.x),
          complex_step([&](const std::vector<Complex>& z) { return loss(x, z, b); }, c.weight),
          complex_step([&](const std::vector<Complex>& z) { return loss(x, w, z); }, c.bias)};
}

template <class T>
Gradients run_backward(Context& ctx, const Case& c, Fill fill) {
  const DeviceArray x(ctx, {1, c.n, c.in}, cast<T>(c.x)), w(ctx, {1, c.out, c.in}, cast<T>(c.weight));
  const DeviceArray dy(ctx, {1, c.n, c.out}, cast<T>(c.dy));
  const DType t = DTypeOf<T>::value;
  const DeviceArray dx(ctx, {1, c.n, c.in}, t, fill), dw(ctx, {1, c.out, c.in}, t, fill), db(ctx, {1, c.out}, t, fill);
  linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db});
  return {dx.values(), dw.values(), db.values()};
}

// k terms of size `scale` are added: at most k + 2 roundings.
Tolerance sum_of(std::int64_t terms, DType t, double scale = 1) {
  return {.k = 2.0 + static_cast<double>(terms), .dtype = t, .scale = scale};
}

}  // namespace

TEST_CASE("linear: literals") {
  on_every_device([](Context& ctx) {
    const DeviceArray x(ctx, {1, 3, 2}, std::vector<double>{1, 2, 3, 4, -5, 6});
    const DeviceArray w(ctx, {1, 1, 2}, std::vector<double>{0.5, -2});
    const DeviceArray b(ctx, {1, 1}, std::vector<double>{0.25}), dy(ctx, {1, 3, 1}, std::vector<double>{1, -2, 4});
    const DeviceArray y(ctx, {1, 3, 1}, DType::f64), dx(ctx, {1, 3, 2}, DType::f64), dw(ctx, {1, 1, 2}, DType::f64),
        db(ctx, {1, 1}, DType::f64);

    linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y});
    linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db});

    expect_close(y.values(), {-3.25, -6.25, -14.25}, {});
    expect_close(dx.values(), {0.5, -2, -1, 4, 2, -8}, {});
    expect_close(dw.values(), {-25, 18}, {});
    expect_close(db.values(), {3}, {});
  });
}

TEST_CASE("linear: forward agrees with the oracle around the vector width, with and without bias") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::array{1, 1, 3}, std::array{31, 7, 1}, std::array{32, 33, 31}, std::array{33, 5, 257},
                             std::array{257, 2, 9}}) {
      const std::int64_t n = size[0], in = size[1], out = size[2];
      CAPTURE(n);
      CAPTURE(out);
      const Case c = random_case(n, in, out);
      for_float_types([&](auto zero) {
        using T = decltype(zero);
        const DeviceArray x(ctx, {1, n, in}, cast<T>(c.x)), w(ctx, {1, out, in}, cast<T>(c.weight));
        const DeviceArray b(ctx, {1, out}, cast<T>(c.bias));
        const DeviceArray y(ctx, {1, n, out}, DTypeOf<T>::value), bare(ctx, {1, n, out}, DTypeOf<T>::value, Fill::huge);

        linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y});
        linear::forward(ctx, {.x = x, .weight = w, .y = bare});

        expect_close(y.values(), oracle::linear(c.sizes(), c.x, c.weight, c.bias), sum_of(in, DTypeOf<T>::value));
        expect_close(bare.values(), oracle::linear(c.sizes(), c.x, c.weight, {}), sum_of(in, DTypeOf<T>::value));
      });
    }
  });
}

TEST_CASE("linear: backward matches complex step for input, weight and bias") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::array{1, 3, 2}, std::array{2, 1, 33}, std::array{33, 4, 3}, std::array{70, 2, 5}}) {
      const std::int64_t n = size[0], in = size[1], out = size[2];
      CAPTURE(n);
      const Case c = random_case(n, in, out);
      const Gradients expected = complex_gradients(c);

      const Gradients f64 = run_backward<double>(ctx, c, Fill::nan), f32 = run_backward<float>(ctx, c, Fill::huge);

      expect_close(f64.dx, expected.dx, sum_of(out, DType::f64));
      expect_close(f64.dweight, expected.dweight, sum_of(n, DType::f64));
      expect_close(f64.dbias, expected.dbias, sum_of(n, DType::f64));
      expect_close(f32.dx, expected.dx, sum_of(out, DType::f32));
      expect_close(f32.dweight, expected.dweight, sum_of(n, DType::f32));
      expect_close(f32.dbias, expected.dbias, sum_of(n, DType::f32));
    }
  });
}

TEST_CASE("linear: the bias gradient of wide layers, large means and constant columns") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 129, out = 260;
    Case c = random_case(n, 1, out);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < out; ++j) c.dy[i * out + j] += 1e4;
      c.dy[i * out + 255] = 0.125;
    }
    std::vector<double> expected(out);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < out; ++j) expected[j] += static_cast<float>(c.dy[i * out + j]);

    expect_close(run_backward<float>(ctx, c, Fill::nan).dbias, expected, sum_of(n, DType::f32, 1e4));
    CHECK(run_backward<double>(ctx, c, Fill::nan).dbias[255] == 0.125 * n);
  });
}

TEST_CASE("linear: accumulating adds, and outputs not wanted are left out") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(9, 4, 6);
    const Gradients fresh = run_backward<double>(ctx, c, Fill::nan);
    const std::vector<double> before_x = random_values(36, 5), before_w = random_values(24, 6),
                              before_b = random_values(6, 7);
    const DeviceArray x(ctx, {1, 9, 4}, c.x), w(ctx, {1, 6, 4}, c.weight), dy(ctx, {1, 9, 6}, c.dy);
    const DeviceArray dx(ctx, {1, 9, 4}, before_x), dw(ctx, {1, 6, 4}, before_w), db(ctx, {1, 6}, before_b);
    const DeviceArray only(ctx, {1, 6}, DType::f64);

    linear::backward(
        ctx, {.x = x, .weight = w, .dy = dy, .dx = dx, .dweight = dw, .dbias = db, .mode = WriteMode::accumulate});
    linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dbias = only});

    expect_close(dx.values(), added(before_x, fresh.dx), {.k = 8});
    expect_close(dw.values(), added(before_w, fresh.dweight), {.k = 12});
    expect_close(db.values(), added(before_b, fresh.dbias), {.k = 12});
    expect_equal_bits(only.values(), fresh.dbias);
  });
}

TEST_CASE("linear: replicas give the bits of calls of their own, also with shared rows") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 40, in = 9, out = 300;
    const std::vector<float> x = cast<float>(random_values(n * in, 1)), w = cast<float>(random_values(r * out * in, 2));
    const std::vector<float> b = cast<float>(random_values(r * out, 3)),
                             dy = cast<float>(random_values(r * n * out, 4));
    const auto run = [&](std::int64_t replicas, const auto& weight, const auto& bias, const auto& gradient) {
      const DeviceArray dx_in(ctx, {1, n, in}, x), dw_in(ctx, {replicas, out, in}, weight);
      const DeviceArray db_in(ctx, {replicas, out}, bias), dy_in(ctx, {replicas, n, out}, gradient);
      const DeviceArray y(ctx, {replicas, n, out}, DType::f32), dx(ctx, {replicas, n, in}, DType::f32);
      const DeviceArray dw(ctx, {replicas, out, in}, DType::f32), db(ctx, {replicas, out}, DType::f32);
      linear::forward(ctx, {.x = dx_in, .weight = dw_in, .bias = db_in, .y = y});
      linear::backward(ctx, {.x = dx_in, .weight = dw_in, .dy = dy_in, .dx = dx, .dweight = dw, .dbias = db});
      return std::array{y.download<float>(), dx.download<float>(), dw.download<float>(), db.download<float>()};
    };

    const auto joint = run(r, w, b, dy);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto alone = run(1, replica_part(w, k, r), replica_part(b, k, r), replica_part(dy, k, r));
      for (std::size_t i = 0; i < joint.size(); ++i) expect_equal_bits(alone[i], replica_part(joint[i], k, r));
    }
  });
}

TEST_CASE("linear: agrees with torch.nn.Linear") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("linear")) {
      CAPTURE(g.name());
      const Case c = {g.size("n"), g.size("in"), g.size("out"), g["x"], g["weight"], g["bias"], g["dy"]};
      const DeviceArray x(ctx, {1, c.n, c.in}, c.x), w(ctx, {1, c.out, c.in}, c.weight), b(ctx, {1, c.out}, c.bias);
      const DeviceArray y(ctx, {1, c.n, c.out}, DType::f64);

      linear::forward(ctx, {.x = x, .weight = w, .bias = b, .y = y});
      const Gradients got = run_backward<double>(ctx, c, Fill::nan);

      expect_close(y.values(), g["y"], sum_of(c.in, DType::f64));
      expect_close(got.dx, g["dx"], sum_of(c.out, DType::f64));
      expect_close(got.dweight, g["dweight"], sum_of(c.n, DType::f64));
      expect_close(got.dbias, g["dbias"], sum_of(c.n, DType::f64));
    }
  });
}

TEST_CASE("linear: no rows give a bias gradient of zero") {
  on_every_device([](Context& ctx) {
    const DeviceArray x(ctx, {1, 0, 2}, DType::f64), w(ctx, {1, 3, 2}, std::vector<double>{1, 2, 3, 4, 5, 6});
    const DeviceArray dy(ctx, {1, 0, 3}, DType::f64), dw(ctx, {1, 3, 2}, DType::f64), db(ctx, {1, 3}, DType::f64);

    linear::backward(ctx, {.x = x, .weight = w, .dy = dy, .dweight = dw, .dbias = db});

    expect_close(dw.values(), std::vector<double>(6, 0.0), {});
    expect_close(db.values(), std::vector<double>(3, 0.0), {});
  });
}

TEST_CASE("linear: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {1, 4, 2}, DType::f32), w(ctx, {1, 3, 2}, DType::f32), y(ctx, {1, 4, 3}, DType::f32);
  const DeviceArray wide(ctx, {1, 4, 5}, DType::f32), bias(ctx, {1, 4}, DType::f32), w64(ctx, {1, 3, 2}, DType::f64);

  CHECK_THROWS_WITH_AS(linear::forward(ctx, {.x = wide, .weight = w, .y = y}),
                       doctest::Contains("x is [1, 4, 5], expected [1, 4, 2]"), ShapeError);
  CHECK_THROWS_WITH_AS(linear::forward(ctx, {.x = x, .weight = w, .y = wide}),
                       doctest::Contains("y is [1, 4, 5], expected [1, 4, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(linear::forward(ctx, {.x = x, .weight = w, .bias = bias, .y = y}),
                       doctest::Contains("bias is [1, 4], expected [1, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(linear::forward(ctx, {.x = x, .weight = w64, .y = y}),
                       doctest::Contains("weight is f64, expected f32"), ShapeError);
  CHECK_THROWS_WITH_AS(linear::backward(ctx, {.x = x, .weight = w, .dy = y, .dbias = bias}),
                       doctest::Contains("dbias is [1, 4], expected [1, 3]"), ShapeError);
}

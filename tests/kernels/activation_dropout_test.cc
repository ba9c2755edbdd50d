// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation_dropout.h"

#include <cmath>

#include "kernels/linear.h"
#include "tests/oracle/activation_dropout_oracle.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using activation::Kind;
using dropout::Form;
using oracle::DropoutDraw;

namespace {

using MaybeKind = std::optional<Kind>;
const MaybeKind kKinds[] = {Kind::relu, Kind::tanh, Kind::sigmoid, MaybeKind()};

constexpr DropoutDraw kDraw = {.seed = 42, .step = 7, .first_row = 0, .stream = 3, .form = Form::unit, .rate = 0.4};

// Seeds, steps and rates of the replicas on the device, and the Finish that names them.
struct Finisher {
  DeviceArray seed, step, rate;
  activation_dropout::Finish finish;

  static std::vector<std::int64_t> each(const std::vector<DropoutDraw>& draws, std::int64_t DropoutDraw::*of) {
    std::vector<std::int64_t> values;
    for (const DropoutDraw& d : draws) values.push_back(d.*of);
    return values;
  }
  static std::vector<double> rates(const std::vector<DropoutDraw>& draws) {
    std::vector<double> values;
    for (const DropoutDraw& d : draws) values.push_back(d.rate);
    return values;
  }
  Finisher(Context& ctx, MaybeKind kind, const std::vector<DropoutDraw>& draws)
      : seed(ctx, {static_cast<std::int64_t>(draws.size())}, each(draws, &DropoutDraw::seed)),
        step(ctx, {static_cast<std::int64_t>(draws.size())}, each(draws, &DropoutDraw::step)),
        rate(ctx, {static_cast<std::int64_t>(draws.size())}, rates(draws)) {
    finish.activation = kind;
    finish.seed = seed;
    finish.step = step;
    finish.rate = rate;
    finish.stream = draws[0].stream;
    finish.first_row = draws[0].first_row;
    finish.form = draws[0].form;
  }
};

template <class T>
struct Result {
  std::vector<T> y, dx, dbias;
};

template <class T>
Result<T> run(Context& ctx, const Shape& shape, const activation_dropout::Finish& finish, const std::vector<T>& x,
              const std::vector<T>& dy, Fill fill = Fill::nan) {
  const DType type = DTypeOf<T>::value;
  const DeviceArray in(ctx, shape, x), gradient(ctx, shape, dy), y(ctx, shape, type, fill), dx(ctx, shape, type, fill),
      dbias(ctx, {shape[0], shape[2]}, type, fill);
  activation_dropout::forward(ctx, {.x = in, .y = y, .finish = finish});
  activation_dropout::BackwardArgs back;
  back.y = y;
  back.dy = gradient;
  back.dx = dx;
  back.dbias = dbias;
  back.finish = finish;
  activation_dropout::backward(ctx, back);
  return {y.download<T>(), dx.download<T>(), dbias.download<T>()};
}

std::vector<Complex> complex(const std::vector<double>& x) { return {x.begin(), x.end()}; }

template <class T>
std::vector<double> wide(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

}  // namespace

TEST_CASE("activation_dropout: literals without dropout, and with every second row dropped") {
  on_every_device([](Context& ctx) {
    activation_dropout::Finish relu;
    relu.activation = Kind::relu;
    const Result<double> plain = run<double>(ctx, {1, 3, 2}, relu, {-1, 2, 3, 0, 5, -6}, {10, 20, 30, 40, 50, 60});

    expect_equal_bits(plain.y, {0, 2, 3, 0, 5, 0});
    expect_equal_bits(plain.dx, {0, 20, 30, 0, 50, 0});
    expect_equal_bits(plain.dbias, {80, 20});

    DropoutDraw rows = kDraw;
    rows.form = Form::row;
    rows.rate = 0.5;
    const std::vector<double> fate = oracle::dropout_factors(3, 2, rows);
    const Finisher half(ctx, Kind::relu, {rows});
    const Result<double> dropped =
        run<double>(ctx, {1, 3, 2}, half.finish, {1, 2, 3, 4, 5, -6}, {10, 20, 30, 40, 50, 60});
    std::vector<double> y = {2, 4, 6, 8, 10, 0}, dx = {20, 40, 60, 80, 100, 0};
    for (std::size_t i = 0; i < fate.size(); ++i)
      if (fate[i] == 0) y[i] = dx[i] = 0;
    expect_equal_bits(dropped.y, y);
    expect_equal_bits(dropped.dx, dx);
  });
}

TEST_CASE("activation_dropout: matches the oracle and complex step in every size, kind and form") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::pair{1, 1}, std::pair{31, 4}, std::pair{32, 5}, std::pair{33, 32}, std::pair{65, 33},
                             std::pair{3, 257}, std::pair{2, 1030}}) {
      const std::int64_t n = size.first, c = size.second;
      for (const MaybeKind kind : kKinds)
        for (const Form form : {Form::unit, Form::row}) {
          CAPTURE(n);
          CAPTURE(c);
          if (n * c > 1000 && form == Form::row) continue;
          DropoutDraw draw = {.seed = -5'000'000'000,
                              .step = 10'000'000'001,
                              .first_row = 4'294'967'290,
                              .stream = 9,
                              .form = form,
                              .rate = 0.3};
          const std::vector<double> x = random_values(n * c, 1, -3, 3), dy = random_values(n * c, 2);
          const std::vector<double> y = oracle::activation_dropout(n, c, kind, draw, x);
          // Elementwise, so one complex step along all of dy's weights gives every element's gradient at once.
          std::vector<Complex> stepped = complex(x);
          for (Complex& z : stepped) z += Complex(0, 1e-30);
          std::vector<double> dx;
          const std::vector<Complex> out = oracle::activation_dropout(n, c, kind, draw, stepped);
          for (std::size_t i = 0; i < out.size(); ++i) dx.push_back(out[i].imag() / 1e-30 * dy[i]);
          const std::vector<double> dbias = oracle::column_sums(n, c, dx);

          const Finisher f(ctx, kind, {draw});
          const Result<double> f64 = run<double>(ctx, {1, n, c}, f.finish, x, dy, Fill::huge);
          const Result<float> f32 = run<float>(ctx, {1, n, c}, f.finish, cast<float>(x), cast<float>(dy));

          const double terms = static_cast<double>(n);
          expect_close(f64.y, y, {.k = 8});
          expect_close(f64.dx, dx, {.k = 16, .scale = 2});
          expect_close(f64.dbias, dbias, {.k = 16 + terms, .scale = 2 * terms});
          expect_close(wide(f32.y), y, {.k = 16, .dtype = DType::f32});
          expect_close(wide(f32.dx), dx, {.k = 32, .dtype = DType::f32, .scale = 2});
          expect_close(wide(f32.dbias), dbias, {.k = 32 + terms, .dtype = DType::f32, .scale = 2 * terms});
          for (std::size_t i = 0; i < y.size(); ++i) CHECK((f64.y[i] == 0) == (y[i] == 0));
        }
    }
  });
}

TEST_CASE("activation_dropout: gives the bits of activation, dropout and linear one after another") {
  on_every_device([](Context& ctx) {
    for_float_types([&](auto zero) {
      using T = decltype(zero);
      for (const std::int64_t c : {20, 33, 128, 1100})
        for (const MaybeKind kind : kKinds) {
          const std::int64_t n = 130;
          const Shape shape = {1, n, c};
          DropoutDraw draw = kDraw;
          draw.rate = 0.5;  // 1 - p is a power of two: backward finds the activation again to the bit
          const Finisher f(ctx, kind, {draw});
          const std::vector<T> x = cast<T>(random_values(n * c, 4, -2, 2)), dy = cast<T>(random_values(n * c, 5));
          const Result<T> fused = run<T>(ctx, shape, f.finish, x, dy);

          const DType type = DTypeOf<T>::value;
          const DeviceArray in(ctx, shape, x), gradient(ctx, shape, dy), a(ctx, shape, type), y(ctx, shape, type);
          const DeviceArray da(ctx, shape, type), dx(ctx, shape, type), dbias(ctx, {1, c}, type);
          if (kind) activation::forward(ctx, {.kind = *kind, .x = in, .y = a});
          const ConstTensor activated = kind ? a : in;
          dropout::Args drop;
          drop.x = activated;
          drop.y = y;
          drop.seed = f.seed;
          drop.step = f.step;
          drop.rate = f.rate;
          drop.stream = draw.stream;
          dropout::apply(ctx, drop);
          drop.x = gradient;
          drop.y = kind ? da : dx;
          dropout::apply(ctx, drop);
          if (kind) activation::backward(ctx, {.kind = *kind, .y = activated, .dy = da, .dx = dx});
          const DeviceArray weight(ctx, {1, c, 1}, std::vector<T>(static_cast<std::size_t>(c))),
              ones(ctx, {1, n, 1}, std::vector<T>(static_cast<std::size_t>(n)));
          linear::BackwardArgs sum;
          sum.x = ones;
          sum.weight = weight;
          sum.dy = dx;
          sum.dbias = dbias;
          linear::backward(ctx, sum);

          expect_equal_bits(fused.y, y.download<T>());
          const std::vector<T> apart = dx.download<T>();
          bool equal = true;  // but for the sign of zeros
          for (std::size_t i = 0; i < apart.size(); ++i) equal = equal && fused.dx[i] == apart[i];
          CHECK(equal);
          const std::vector<T> bias = dbias.download<T>();
          for (std::size_t i = 0; i < bias.size(); ++i) CHECK(fused.dbias[i] == bias[i]);
        }
    });
  });
}

TEST_CASE("activation_dropout: in place gives the bits of out of place, accumulating adds to both outputs") {
  on_every_device([](Context& ctx) {
    for (const MaybeKind kind : kKinds) {
      const Shape shape = {1, 70, 77};
      const std::int64_t size = shape.elements();
      const std::vector<double> x = random_values(size, 2), dy = random_values(size, 3),
                                before = random_values(size, 4), before_bias = random_values(77, 5);
      const Finisher f(ctx, kind, {kDraw});
      const Result<double> fresh = run<double>(ctx, shape, f.finish, x, dy);
      const DeviceArray both(ctx, shape, x), gradient(ctx, shape, dy), in(ctx, shape, dy), sum(ctx, shape, before),
          bias(ctx, {1, 77}, before_bias);

      activation_dropout::forward(ctx, {.x = both, .y = both, .finish = f.finish});
      activation_dropout::BackwardArgs back;
      back.y = both;
      back.dy = in;
      back.dx = sum;
      back.dbias = bias;
      back.finish = f.finish;
      back.mode = WriteMode::accumulate;
      activation_dropout::backward(ctx, back);
      back.dy = gradient;
      back.dx = gradient;
      back.dbias = {};
      back.mode = WriteMode::overwrite;
      activation_dropout::backward(ctx, back);

      expect_equal_bits(both.download<double>(), fresh.y);
      expect_equal_bits(gradient.download<double>(), fresh.dx);
      expect_close(sum.values(), added(before, fresh.dx), {.k = 2});
      expect_close(bias.values(), added(before_bias, fresh.dbias), {.k = 128, .scale = 32});
    }
  });
}

TEST_CASE("activation_dropout: rate 0 is the activation, rate 1 gives zeros and no gradient") {
  on_every_device([](Context& ctx) {
    for (const MaybeKind kind : kKinds) {
      const std::vector<double> x = random_values(3 * 37, 6, -1, 1), dy = random_values(3 * 37, 7);
      DropoutDraw none = kDraw, all = kDraw;
      none.rate = 0;
      all.rate = 1;
      activation_dropout::Finish without;
      without.activation = kind;

      const Finisher keeps(ctx, kind, {none}), drops(ctx, kind, {all});
      const Result<double> kept = run<double>(ctx, {1, 3, 37}, keeps.finish, x, dy),
                           alone = run<double>(ctx, {1, 3, 37}, without, x, dy),
                           dropped = run<double>(ctx, {1, 3, 37}, drops.finish, x, dy);

      expect_equal_bits(kept.y, alone.y);
      expect_equal_bits(kept.dx, alone.dx);
      const std::vector<double> zeros(x.size());
      CHECK(dropped.y == zeros);
      CHECK(dropped.dx == zeros);
    }
  });
}

TEST_CASE("activation_dropout: arrays that begin beside a 16-byte boundary give the same") {
  on_every_device([](Context& ctx) {
    const std::int64_t n = 9, c = 64;
    const std::vector<float> x = cast<float>(random_values(n * c, 1)), dy = cast<float>(random_values(n * c, 2));
    const Finisher f(ctx, Kind::relu, {kDraw});
    const Result<float> even = run<float>(ctx, {1, n, c}, f.finish, x, dy);
    for (const std::int64_t offset : {1, 3}) {
      const auto behind = [&](std::vector<float> values) {
        values.insert(values.begin(), static_cast<std::size_t>(offset), 0.0f);
        return values;
      };
      const DeviceArray all_x(ctx, {n * c + offset}, behind(x)), all_dy(ctx, {n * c + offset}, behind(dy));
      const auto part = [&](const DeviceArray& a) {
        return Tensor{a.tensor().as<float>() + offset, DType::f32, {1, n, c}};
      };
      activation_dropout::forward(ctx, {.x = part(all_x), .y = part(all_x), .finish = f.finish});
      activation_dropout::BackwardArgs back;
      back.y = part(all_x);
      back.dy = part(all_dy);
      back.dx = part(all_dy);
      back.finish = f.finish;
      activation_dropout::backward(ctx, back);

      expect_equal_bits(all_x.download<float>(), behind(even.y));
      expect_equal_bits(all_dy.download<float>(), behind(even.dx));
    }
  });
}

TEST_CASE("activation_dropout: replicas with their own seed, step and rate give the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 4, n = 67, c = 65;
    const std::vector<float> x = cast<float>(random_values(r * n * c, 1)),
                             dy = cast<float>(random_values(r * n * c, 2));
    std::vector<DropoutDraw> draws(static_cast<std::size_t>(r), kDraw);
    for (std::size_t k = 0; k < draws.size(); ++k) {
      draws[k].seed += static_cast<std::int64_t>(k);
      draws[k].step += static_cast<std::int64_t>(3 * k);
      draws[k].rate = 0.3 * static_cast<double>(k);
    }
    const Finisher together(ctx, Kind::tanh, draws);

    const Result<float> joint = run<float>(ctx, {r, n, c}, together.finish, x, dy);

    for (std::int64_t k = 0; k < r; ++k) {
      const Finisher own(ctx, Kind::tanh, {draws[static_cast<std::size_t>(k)]});
      const Result<float> alone = run<float>(ctx, {1, n, c}, own.finish, replica_part(x, k, r), replica_part(dy, k, r));
      expect_equal_bits(alone.y, replica_part(joint.y, k, r));
      expect_equal_bits(alone.dx, replica_part(joint.dx, k, r));
      expect_equal_bits(alone.dbias, replica_part(joint.dbias, k, r));
    }
  });
}

TEST_CASE("activation_dropout: one thread and two give the same bits") {
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  const std::int64_t n = 300, c = 2100;
  const std::vector<float> x = cast<float>(random_values(n * c, 1)), dy = cast<float>(random_values(n * c, 2));
  const Finisher f(one, Kind::sigmoid, {kDraw}), g(two, Kind::sigmoid, {kDraw});
  const Result<float> a = run<float>(one, {1, n, c}, f.finish, x, dy), b = run<float>(two, {1, n, c}, g.finish, x, dy);
  expect_equal_bits(a.y, b.y);
  expect_equal_bits(a.dx, b.dx);
  expect_equal_bits(a.dbias, b.dbias);
}

TEST_CASE("activation_dropout: no rows are no work, and a bias gradient of zero") {
  on_every_device([](Context& ctx) {
    activation_dropout::Finish relu;
    relu.activation = Kind::relu;
    const Result<float> none = run<float>(ctx, {1, 0, 3}, relu, {}, {});
    CHECK(none.y.empty());
    CHECK(none.dbias == std::vector<float>(3, 0.0f));
  });
}

TEST_CASE("activation_dropout: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {2, 3, 4}, DType::f32), other(ctx, {2, 3, 5}, DType::f32), bias(ctx, {2, 3}, DType::f32);
  const DeviceArray two(ctx, {2}, DType::i64), one(ctx, {1}, DType::i64), rate(ctx, {2}, DType::f64);
  activation_dropout::Finish finish;
  finish.activation = Kind::relu;

  CHECK_THROWS_WITH_AS(activation_dropout::forward(ctx, {.x = x, .y = other, .finish = finish}),
                       doctest::Contains("y is [2, 3, 5], expected [2, 3, 4]"), ShapeError);
  activation_dropout::BackwardArgs back;
  back.y = x;
  back.dy = x;
  back.dx = x;
  CHECK_THROWS_WITH_AS(activation_dropout::backward(ctx, back), doctest::Contains("dx overlaps y"), ShapeError);
  const DeviceArray dy(ctx, {2, 3, 4}, DType::f32);
  back.dy = back.dx = dy;
  back.mode = WriteMode::accumulate;
  CHECK_THROWS_WITH_AS(activation_dropout::backward(ctx, back), doctest::Contains("dx overlaps dy"), ShapeError);
  back.mode = WriteMode::overwrite;
  back.dbias = bias;
  CHECK_THROWS_WITH_AS(activation_dropout::backward(ctx, back), doctest::Contains("dbias is [2, 3], expected [2, 4]"),
                       ShapeError);
  finish.seed = finish.step = two;
  CHECK_THROWS_WITH_AS(activation_dropout::forward(ctx, {.x = x, .y = x, .finish = finish}),
                       doctest::Contains("rate is absent"), ShapeError);
  finish.rate = rate;
  finish.seed = one;
  CHECK_THROWS_WITH_AS(activation_dropout::forward(ctx, {.x = x, .y = x, .finish = finish}),
                       doctest::Contains("seed is [1], expected [2]"), ShapeError);
}

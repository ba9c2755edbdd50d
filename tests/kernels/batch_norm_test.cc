// SPDX-License-Identifier: Apache-2.0
#include "kernels/batch_norm.h"

#include <cmath>

#include "kernels/linear.h"
#include "tests/oracle/activation_dropout_oracle.h"
#include "tests/oracle/batch_norm_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using batch_norm::Statistics;

namespace {

struct Case {
  std::int64_t n, c;
  std::vector<double> x, gamma, beta, running_mean, running_var, dy;
  Statistics statistics = Statistics::batch;
  double momentum = 0.25, eps = 1e-5;
};

Case random_case(std::int64_t n, std::int64_t c, Statistics statistics, double mean = 0.5) {
  return {n,
          c,
          random_values(n * c, 1, mean - 1, mean + 1),
          random_values(c, 2, 0.5, 2),
          random_values(c, 3),
          random_values(c, 4, mean - 1, mean + 1),
          random_values(c, 5, 0.25, 2),
          random_values(n * c, 6),
          statistics};
}

struct Result {
  std::vector<double> y, running_mean, running_var, mean, rstd, dx, dgamma, dbeta;
};

template <class T>
Result run(Context& ctx, const Case& a, std::int64_t r = 1, Fill fill = Fill::nan) {
  const Shape shape = {r, a.n, a.c}, columns = {r, a.c};
  const DType t = DTypeOf<T>::value;
  const DeviceArray x(ctx, shape, cast<T>(a.x)), gamma(ctx, columns, cast<T>(a.gamma)),
      beta(ctx, columns, cast<T>(a.beta));
  const DeviceArray running_mean(ctx, columns, cast<T>(a.running_mean)),
      running_var(ctx, columns, cast<T>(a.running_var));
  const DeviceArray dy(ctx, shape, cast<T>(a.dy)), y(ctx, shape, t, fill), mean(ctx, columns, t, fill),
      rstd(ctx, columns, t, fill);
  const DeviceArray dx(ctx, shape, t, fill), dgamma(ctx, columns, t, fill), dbeta(ctx, columns, t, fill);
  batch_norm::forward(ctx, {.x = x,
                            .gamma = gamma,
                            .beta = beta,
                            .running_mean = running_mean,
                            .running_var = running_var,
                            .y = y,
                            .mean = mean,
                            .rstd = rstd,
                            .statistics = a.statistics,
                            .momentum = a.momentum,
                            .eps = a.eps});
  batch_norm::backward(ctx, {.x = x,
                             .gamma = gamma,
                             .mean = mean,
                             .rstd = rstd,
                             .dy = dy,
                             .dx = dx,
                             .dgamma = dgamma,
                             .dbeta = dbeta,
                             .statistics = a.statistics});
  return {y.values(),    running_mean.values(), running_var.values(), mean.values(),
          rstd.values(), dx.values(),           dgamma.values(),      dbeta.values()};
}

template <class S>
std::vector<S> oracle_y(const Case& a, const std::vector<S>& x, const std::vector<S>& gamma,
                        const std::vector<S>& beta) {
  const oracle::BatchNormInputs<S> inputs = {a.n, a.c, x, gamma, beta, a.eps};
  if (a.statistics == Statistics::batch) return oracle::batch_norm(inputs, oracle::column_moments(inputs));
  return oracle::batch_norm(inputs,
                            oracle::ColumnMoments<S>{std::vector<S>(a.running_mean.begin(), a.running_mean.end()),
                                                     std::vector<S>(a.running_var.begin(), a.running_var.end())});
}

Result expected(const Case& a) {
  Result e;
  e.y = oracle_y(a, a.x, a.gamma, a.beta);
  e.running_mean = e.mean = a.running_mean;
  e.running_var = a.running_var;
  const auto moments = oracle::column_moments(oracle::BatchNormInputs<double>{a.n, a.c, a.x, a.gamma, a.beta, a.eps});
  for (std::size_t j = 0; j < e.mean.size(); ++j) {
    double variance = a.running_var[j];
    if (a.statistics == Statistics::batch) {
      e.mean[j] = moments.mean[j];
      variance = moments.variance[j];
      const double unbiased = variance * static_cast<double>(a.n) / static_cast<double>(a.n - 1);
      e.running_mean[j] = (1 - a.momentum) * a.running_mean[j] + a.momentum * e.mean[j];
      e.running_var[j] = (1 - a.momentum) * a.running_var[j] + a.momentum * unbiased;
    }
    e.rstd.push_back(1 / std::sqrt(variance + a.eps));
  }
  const auto complex = [](const std::vector<double>& v) { return std::vector<Complex>(v.begin(), v.end()); };
  const std::vector<Complex> x = complex(a.x), gamma = complex(a.gamma), beta = complex(a.beta);
  using Z = const std::vector<Complex>&;
  e.dx = complex_step([&](Z z) { return weighted_sum(a.dy, oracle_y(a, z, gamma, beta)); }, a.x);
  e.dgamma = complex_step([&](Z z) { return weighted_sum(a.dy, oracle_y(a, x, z, beta)); }, a.gamma);
  e.dbeta = complex_step([&](Z z) { return weighted_sum(a.dy, oracle_y(a, x, gamma, z)); }, a.beta);
  return e;
}

void expect_result(const Result& got, const Result& want, const Tolerance& tolerance) {
  expect_close(got.y, want.y, tolerance);
  expect_close(got.running_mean, want.running_mean, tolerance);
  expect_close(got.running_var, want.running_var, tolerance);
  expect_close(got.mean, want.mean, tolerance);
  expect_close(got.rstd, want.rstd, tolerance);
  expect_close(got.dx, want.dx, tolerance);
  expect_close(got.dgamma, want.dgamma, tolerance);
  expect_close(got.dbeta, want.dbeta, tolerance);
}

}  // namespace

TEST_CASE("batch_norm: literals with both variances") {
  on_every_device([](Context& ctx) {
    Case a = random_case(2, 1, Statistics::batch);
    a.x = {1, 5};  // mean 3, variance 4 to normalise and 8 to remember
    a.gamma = {10};
    a.beta = {-1};
    a.running_mean = {7};
    a.running_var = {2};
    a.dy = {1, 2};
    a.eps = 0;

    const Result got = run<double>(ctx, a);

    expect_close(got.y, {-11, 9}, {});
    expect_close(got.running_mean, {6}, {});   // 0.75 * 7 + 0.25 * 3
    expect_close(got.running_var, {3.5}, {});  // 0.75 * 2 + 0.25 * 8
    expect_close(got.rstd, {0.5}, {});
    expect_close(got.dbeta, {3}, {});
    expect_close(got.dgamma, {1}, {});
    expect_close(got.dx, {0, 0}, {.k = 16});  // two rows: y does not depend on x where eps is 0
  });
}

TEST_CASE("batch_norm: every output matches the oracle and complex step, for both statistics") {
  on_every_device([](Context& ctx) {
    for (const auto& size :
         {std::pair{2, 3}, std::pair{3, 1}, std::pair{4, 33}, std::pair{31, 5}, std::pair{33, 2}, std::pair{7, 257}}) {
      const std::int64_t n = size.first, c = size.second;
      for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
        CAPTURE(n);
        CAPTURE(c);
        if (n * c > 1000 && statistics == Statistics::running) continue;
        const Case a = random_case(n, c, statistics);
        const Result want = expected(a);
        double largest = 1;  // two near rows give a large rstd, and gradients of its size
        for (const double r : want.rstd) largest = std::max(largest, r * r);

        const double roundings = 16.0 + static_cast<double>(n);
        expect_result(run<double>(ctx, a), want, {.k = roundings, .scale = largest});
        expect_result(run<float>(ctx, a, 1, Fill::huge), want, {.k = roundings, .dtype = DType::f32, .scale = largest});
      }
    }
  });
}

TEST_CASE("batch_norm: a single row is fine with running statistics and refused with its own") {
  on_every_device([](Context& ctx) {
    const Case running = random_case(1, 4, Statistics::running);

    expect_result(run<double>(ctx, running), expected(running), {.k = 16, .scale = 4});
    CHECK_THROWS_WITH_AS(run<double>(ctx, random_case(1, 4, Statistics::batch)),
                         doctest::Contains("x is [1, 1, 4], expected at least 2 rows for batch statistics"),
                         ShapeError);
  });
}

TEST_CASE("batch_norm: a mean of 1e4 keeps the variance, a constant column gives beta") {
  on_every_device([](Context& ctx) {
    Case a = random_case(300, 40, Statistics::batch, 1e4);
    for (std::int64_t i = 0; i < a.n; ++i) a.x[static_cast<std::size_t>(i * a.c + 7)] = 1e4;
    const auto moments = oracle::column_moments(oracle::BatchNormInputs<double>{a.n, a.c, a.x, a.gamma, a.beta, a.eps});
    std::vector<double> rstd;
    for (const double v : moments.variance) rstd.push_back(1 / std::sqrt(v + a.eps));

    const Result f64 = run<double>(ctx, a), f32 = run<float>(ctx, a);

    expect_close(f64.rstd, rstd, {.k = 1000, .scale = 400});
    expect_close(f32.rstd, rstd, {.k = 4, .dtype = DType::f32});
    for (std::int64_t i = 0; i < a.n; ++i) {
      const auto at = static_cast<std::size_t>(i * a.c + 7);
      CHECK(f64.y[at] == a.beta[7]);
      CHECK(f32.y[at] == a.beta[7]);
      CHECK(std::isfinite(f32.dx[at]));
    }
    CHECK(f64.dgamma[7] == 0.0);
  });
}

TEST_CASE("batch_norm: running statistics are not moved in inference") {
  on_every_device([](Context& ctx) {
    const Case a = random_case(6, 9, Statistics::running);
    const Result got = run<float>(ctx, a);

    expect_equal_bits(got.running_mean, a.running_mean);
    expect_equal_bits(got.running_var, a.running_var);
    expect_equal_bits(got.mean, a.running_mean);
  });
}

TEST_CASE("batch_norm: accumulating adds to all gradients, the input's may be left out") {
  on_every_device([](Context& ctx) {
    const Case a = random_case(5, 34, Statistics::batch);
    const Result fresh = run<double>(ctx, a);
    const Shape shape = {1, 5, 34}, columns = {1, 34};
    const std::vector<double> before = random_values(170, 7), before_gamma = random_values(34, 8),
                              before_beta = random_values(34, 9);
    const DeviceArray x(ctx, shape, a.x), gamma(ctx, columns, a.gamma), dy(ctx, shape, a.dy);
    const DeviceArray mean(ctx, columns, fresh.mean), rstd(ctx, columns, fresh.rstd);
    const DeviceArray dx(ctx, shape, before), dgamma(ctx, columns, before_gamma), dbeta(ctx, columns, before_beta);
    const DeviceArray only_gamma(ctx, columns, DType::f64), only_beta(ctx, columns, DType::f64);
    batch_norm::BackwardArgs args = {.x = x,
                                     .gamma = gamma,
                                     .mean = mean,
                                     .rstd = rstd,
                                     .dy = dy,
                                     .dx = dx,
                                     .dgamma = dgamma,
                                     .dbeta = dbeta,
                                     .mode = WriteMode::accumulate};

    batch_norm::backward(ctx, args);
    args.dx = {};
    args.dgamma = only_gamma;
    args.dbeta = only_beta;
    args.mode = WriteMode::overwrite;
    batch_norm::backward(ctx, args);

    expect_close(dx.values(), added(before, fresh.dx), {.k = 4, .scale = 8});
    expect_close(dgamma.values(), added(before_gamma, fresh.dgamma), {.k = 4});
    expect_close(dbeta.values(), added(before_beta, fresh.dbeta), {.k = 4});
    expect_equal_bits(only_gamma.values(), fresh.dgamma);
    expect_equal_bits(only_beta.values(), fresh.dbeta);
  });
}

TEST_CASE("batch_norm: replicas have statistics of their own and give the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 40, c = 150;
    Case all = random_case(n, r * c, Statistics::batch);  // n * r * c values, read as [r, n, c]
    all.c = c;
    const auto lists = [](const Result& a) {
      return std::vector{a.y, a.running_mean, a.running_var, a.mean, a.rstd, a.dx, a.dgamma, a.dbeta};
    };

    const auto joint = lists(run<float>(ctx, all, r));

    for (std::int64_t k = 0; k < r; ++k) {
      Case one = all;
      for (std::vector<double>* v : {&one.x, &one.gamma, &one.beta, &one.running_mean, &one.running_var, &one.dy})
        *v = replica_part(*v, k, r);
      const auto alone = lists(run<float>(ctx, one));
      for (std::size_t i = 0; i < joint.size(); ++i) expect_equal_bits(alone[i], replica_part(joint[i], k, r));
    }
  });
}

TEST_CASE("batch_norm: agrees with torch.nn.BatchNorm1d in training and inference") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("batch_norm")) {
      CAPTURE(g.name());
      Case a = {g.size("n"), g.size("c"), g["x"], g["gamma"], g["beta"], g["before_mean"], g["before_var"], g["dy"]};
      a.statistics = g.name() == "inference" ? Statistics::running : Statistics::batch;
      a.momentum = 0.1;

      const Result got = run<double>(ctx, a);

      const Tolerance tolerance = {.k = 64, .scale = 1};
      expect_close(got.y, g["y"], tolerance);
      expect_close(got.running_mean, g["running_mean"], tolerance);
      expect_close(got.running_var, g["running_var"], tolerance);
      expect_close(got.dx, g["dx"], tolerance);
      expect_close(got.dgamma, g["dgamma"], tolerance);
      expect_close(got.dbeta, g["dbeta"], tolerance);
    }
  });
}

namespace {

using MaybeKind = std::optional<activation::Kind>;

// Batch norm with what ends a layer, and its outputs.
struct FinishedRun {
  DeviceArray x, gamma, beta, running_mean, running_var, dy, y, mean, rstd, dgamma, dbeta, dbias, seed, step, rate;
  batch_norm::ForwardArgs forward;
  batch_norm::BackwardArgs backward;

  template <class T>
  FinishedRun(Context& ctx, const Case& a, T, MaybeKind kind, double p)
      : x(ctx, {1, a.n, a.c}, cast<T>(a.x)),
        gamma(ctx, {1, a.c}, cast<T>(a.gamma)),
        beta(ctx, {1, a.c}, cast<T>(a.beta)),
        running_mean(ctx, {1, a.c}, cast<T>(a.running_mean)),
        running_var(ctx, {1, a.c}, cast<T>(a.running_var)),
        dy(ctx, {1, a.n, a.c}, cast<T>(a.dy)),
        y(ctx, {1, a.n, a.c}, DTypeOf<T>::value),
        mean(ctx, {1, a.c}, DTypeOf<T>::value),
        rstd(ctx, {1, a.c}, DTypeOf<T>::value),
        dgamma(ctx, {1, a.c}, DTypeOf<T>::value),
        dbeta(ctx, {1, a.c}, DTypeOf<T>::value),
        dbias(ctx, {1, a.c}, DTypeOf<T>::value),
        seed(ctx, {1}, std::vector<std::int64_t>{5}),
        step(ctx, {1}, std::vector<std::int64_t>{6}),
        rate(ctx, {1}, std::vector<double>{p}) {
    activation_dropout::Finish finish;
    finish.activation = kind;
    finish.seed = seed;
    finish.step = step;
    finish.rate = rate;
    finish.stream = 2;
    forward = {.x = x,
               .gamma = gamma,
               .beta = beta,
               .running_mean = running_mean,
               .running_var = running_var,
               .y = y,
               .mean = mean,
               .rstd = rstd,
               .statistics = a.statistics,
               .momentum = a.momentum,
               .eps = a.eps,
               .finish = finish};
    backward.x = x;
    backward.gamma = gamma;
    backward.mean = mean;
    backward.rstd = rstd;
    backward.y = y;
    backward.dy = dy;
    backward.dx = dy;  // in place
    backward.dgamma = dgamma;
    backward.dbeta = dbeta;
    backward.dbias = dbias;
    backward.statistics = a.statistics;
    backward.finish = finish;
  }
};

}  // namespace

TEST_CASE("batch_norm: with activation and dropout behind it every output matches complex step") {
  on_every_device([](Context& ctx) {
    for (const MaybeKind kind : {MaybeKind(activation::Kind::relu), MaybeKind(activation::Kind::tanh), MaybeKind()})
      for (const auto& size : {std::pair{5, 3}, std::pair{70, 9}, std::pair{9, 66}}) {
        const Case a = random_case(size.first, size.second, Statistics::batch);
        const oracle::DropoutDraw draw = {
            .seed = 5, .step = 6, .first_row = 0, .stream = 2, .form = dropout::Form::unit, .rate = 0.3};
        const auto finished = [&](const std::vector<Complex>& x, const std::vector<Complex>& gamma,
                                  const std::vector<Complex>& beta) {
          return oracle::activation_dropout(a.n, a.c, kind, draw, oracle_y(a, x, gamma, beta));
        };
        const auto complex = [](const std::vector<double>& v) { return std::vector<Complex>(v.begin(), v.end()); };
        const std::vector<Complex> x = complex(a.x), gamma = complex(a.gamma), beta = complex(a.beta);
        using Z = const std::vector<Complex>&;
        std::vector<double> y;
        for (const Complex& v : finished(x, gamma, beta)) y.push_back(v.real());
        const std::vector<double> dx =
            complex_step([&](Z z) { return weighted_sum(a.dy, finished(z, gamma, beta)); }, a.x);

        FinishedRun run(ctx, a, double{}, kind, draw.rate);
        batch_norm::forward(ctx, run.forward);
        batch_norm::backward(ctx, run.backward);

        const Result moments = expected(a);
        double largest = 2;
        for (const double r : moments.rstd) largest = std::max(largest, 2 * r * r);
        const Tolerance tolerance = {.k = 32.0 + static_cast<double>(a.n), .scale = largest};
        expect_close(run.y.values(), y, tolerance);
        expect_close(run.dy.values(), dx, tolerance);
        expect_close(run.dgamma.values(),
                     complex_step([&](Z z) { return weighted_sum(a.dy, finished(x, z, beta)); }, a.gamma), tolerance);
        expect_close(run.dbeta.values(),
                     complex_step([&](Z z) { return weighted_sum(a.dy, finished(x, gamma, z)); }, a.beta), tolerance);
        expect_close(run.dbias.values(), oracle::column_sums(a.n, a.c, dx),
                     {.k = 32.0 + static_cast<double>(a.n), .scale = largest * static_cast<double>(a.n)});
      }
  });
}

TEST_CASE("batch_norm: gives the numbers of batch norm, activation, dropout and linear one after another") {
  on_every_device([](Context& ctx) {
    for_float_types([&](auto zero) {
      using T = decltype(zero);
      for (const MaybeKind kind : {MaybeKind(activation::Kind::relu), MaybeKind(activation::Kind::sigmoid)})
        for (const std::int64_t c : {20, 33, 128}) {
          const Case a = random_case(130, c, Statistics::batch);
          const Shape shape = {1, a.n, c};
          FinishedRun fused(ctx, a, zero, kind, 0.5);
          batch_norm::forward(ctx, fused.forward);
          batch_norm::backward(ctx, fused.backward);

          FinishedRun apart(ctx, a, zero, kind, 0.5);
          const DType t = DTypeOf<T>::value;
          const DeviceArray activated(ctx, shape, t), y(ctx, shape, t), da(ctx, shape, t), dn(ctx, shape, t),
              dx(ctx, shape, t);
          apart.forward.finish = {};
          batch_norm::forward(ctx, apart.forward);
          activation::forward(ctx, {.kind = *kind, .x = apart.y, .y = activated});
          dropout::Args drop;
          drop.x = activated;
          drop.y = y;
          drop.seed = apart.seed;
          drop.step = apart.step;
          drop.rate = apart.rate;
          drop.stream = 2;
          dropout::apply(ctx, drop);
          drop.x = apart.dy;
          drop.y = da;
          dropout::apply(ctx, drop);
          activation::backward(ctx, {.kind = *kind, .y = activated, .dy = da, .dx = dn});
          apart.backward.finish = {};
          apart.backward.dy = dn;
          apart.backward.dx = dx;
          apart.backward.dbias = {};
          batch_norm::backward(ctx, apart.backward);
          const DeviceArray weight(ctx, {1, c, 1}, std::vector<T>(static_cast<std::size_t>(c))),
              ones(ctx, {1, a.n, 1}, std::vector<T>(static_cast<std::size_t>(a.n)));
          linear::BackwardArgs sum;
          sum.x = ones;
          sum.weight = weight;
          sum.dy = dx;
          sum.dbias = apart.dbias;
          linear::backward(ctx, sum);

          CHECK(fused.y.values() == y.values());
          CHECK(fused.dy.values() == dx.values());
          CHECK(fused.dgamma.values() == apart.dgamma.values());
          CHECK(fused.dbeta.values() == apart.dbeta.values());
          CHECK(fused.dbias.values() == apart.dbias.values());
          CHECK(fused.running_var.values() == apart.running_var.values());
        }
    });
  });
}

TEST_CASE("batch_norm: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray x(ctx, {1, 4, 3}, DType::f32), y(ctx, {1, 4, 3}, DType::f32), a(ctx, {1, 3}, DType::f32),
      b(ctx, {1, 3}, DType::f32);
  const DeviceArray m(ctx, {1, 3}, DType::f32), v(ctx, {1, 3}, DType::f32), wide(ctx, {1, 4}, DType::f32),
      mean(ctx, {1, 3}, DType::f32);
  const DeviceArray rstd(ctx, {1, 3}, DType::f32);

  CHECK_THROWS_WITH_AS(
      batch_norm::forward(
          ctx,
          {.x = x, .gamma = wide, .beta = b, .running_mean = m, .running_var = v, .y = y, .mean = mean, .rstd = rstd}),
      doctest::Contains("gamma is [1, 4], expected [1, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(
      batch_norm::forward(
          ctx,
          {.x = x, .gamma = a, .beta = b, .running_mean = m, .running_var = v, .y = x, .mean = mean, .rstd = rstd}),
      doctest::Contains("y overlaps x"), ShapeError);
  CHECK_THROWS_WITH_AS(
      batch_norm::backward(ctx, {.x = x, .gamma = a, .mean = mean, .rstd = rstd, .dy = y, .dgamma = m}),
      doctest::Contains("dbeta is absent"), ShapeError);
  batch_norm::BackwardArgs back = {.x = x, .gamma = a, .mean = mean, .rstd = rstd, .dy = y, .dgamma = m, .dbeta = v};
  back.finish.activation = activation::Kind::relu;
  CHECK_THROWS_WITH_AS(batch_norm::backward(ctx, back), doctest::Contains("y is absent"), ShapeError);
  back.finish = {};
  back.dbias = b;
  CHECK_THROWS_WITH_AS(batch_norm::backward(ctx, back), doctest::Contains("dx is absent"), ShapeError);
}

// SPDX-License-Identifier: Apache-2.0
#include "kernels/regression_loss.h"

#include <cmath>

#include "tests/oracle/regression_loss_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::RegressionCase;
using regression_loss::Kind;
using regression_loss::Reduction;

namespace {

struct Case : RegressionCase {
  std::vector<double> prediction, target;
  double scale = 1;
};

Case random_case(std::int64_t n, std::int64_t c, Kind kind, double mean = 0) {
  Case a;
  a.n = n;
  a.c = c;
  a.kind = kind;
  a.delta = 0.4375;  // exact in f32
  a.reduction = Reduction::mean;
  a.prediction = random_values(n * c, 1, mean - 1, mean + 1);
  a.target = random_values(n * c, 2, mean - 1, mean + 1);
  a.scale = 0.75;
  return a;
}

struct Result {
  double loss;
  std::vector<double> gradient;
};

template <class T>
Result run(Context& ctx, const Case& a, Fill fill = Fill::nan) {
  const Shape shape = {1, a.n, a.c};
  const DeviceArray prediction(ctx, shape, cast<T>(a.prediction)), target(ctx, shape, cast<T>(a.target));
  const DeviceArray scale(ctx, {1}, std::vector<double>{a.scale}), loss(ctx, {1}, DType::f64, fill);
  const DeviceArray gradient(ctx, shape, DTypeOf<T>::value, fill);
  regression_loss::run(ctx, {.prediction = prediction,
                             .target = target,
                             .kind = a.kind,
                             .delta = a.delta,
                             .reduction = a.reduction,
                             .scale = scale,
                             .loss = loss,
                             .dprediction = gradient});
  return {loss.values()[0], gradient.values()};
}

Result expected(const Case& a) {
  Result e = {oracle::regression_loss(a, a.prediction, a.target),
              complex_step([&](const std::vector<Complex>& z) { return oracle::regression_loss(a, z, a.target); },
                           a.prediction)};
  for (double& d : e.gradient) d *= a.scale;
  return e;
}

constexpr Kind kKinds[] = {Kind::squared, Kind::absolute, Kind::huber};

}  // namespace

TEST_CASE("regression_loss: literals, with slope zero where prediction equals target") {
  on_every_device([](Context& ctx) {
    Case a = random_case(2, 2, Kind::squared);
    a.prediction = {1, 5, -2, 0};
    a.target = {1, 2, 2, 0.25};
    a.delta = 1;
    a.scale = 1;
    struct {
      Kind kind;
      double mean;
      std::vector<double> gradient;
    } const rows[] = {{Kind::squared, 25.0625 / 4, {0, 1.5, -2, -0.125}},
                      {Kind::absolute, 7.25 / 4, {0, 0.25, -0.25, -0.25}},
                      {Kind::huber, 6.03125 / 4, {0, 0.25, -0.25, -0.0625}}};
    for (const auto& row : rows) {
      a.kind = row.kind;
      a.reduction = Reduction::mean;
      const Result mean = run<double>(ctx, a);
      a.reduction = Reduction::sum_over_targets_mean_over_rows;
      const Result sum = run<double>(ctx, a);

      expect_close({mean.loss, sum.loss}, {row.mean, 2 * row.mean}, {});
      expect_close(mean.gradient, row.gradient, {});
      expect_close(sum.gradient, added(row.gradient, row.gradient), {});
    }
  });
}

TEST_CASE("regression_loss: loss and gradient match the oracle and complex step around the vector width") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::pair{1, 1}, std::pair{1, 31}, std::pair{2, 16}, std::pair{3, 11}, std::pair{5, 33}}) {
      const std::int64_t n = size.first, c = size.second;
      for (const Kind kind : kKinds)
        for (const Reduction reduction : {Reduction::mean, Reduction::sum_over_targets_mean_over_rows}) {
          CAPTURE(n * c);
          CAPTURE(static_cast<int>(kind));
          Case a = random_case(n, c, kind);
          a.reduction = reduction;
          const Result want = expected(a);

          const Result f64 = run<double>(ctx, a), f32 = run<float>(ctx, a, Fill::huge);

          expect_close({f64.loss}, {want.loss}, {.k = 4.0 + static_cast<double>(n * c)});
          expect_close(f64.gradient, want.gradient, {.k = 8, .scale = 0.01});
          expect_close({f32.loss}, {want.loss}, {.k = 4, .dtype = DType::f32});
          expect_close(f32.gradient, want.gradient, {.k = 8, .dtype = DType::f32});
        }
    }
  });
}

TEST_CASE("regression_loss: many elements with a mean of 1e4 and constant columns") {
  on_every_device([](Context& ctx) {
    for (const Kind kind : kKinds) {
      Case a = random_case(70, 300, kind, 1e4);  // several ranges and several blocks
      for (std::int64_t i = 0; i < a.n; ++i) a.prediction[static_cast<std::size_t>(i * a.c)] = a.target[0];
      const double want = oracle::regression_loss(a, a.prediction, a.target);

      expect_close({run<double>(ctx, a).loss, run<float>(ctx, a).loss}, {want, want}, {.k = 256});
    }
  });
}

TEST_CASE("regression_loss: NaN reaches loss and gradient, no rows give a loss of zero") {
  on_every_device([](Context& ctx) {
    for (const Kind kind : kKinds) {
      Case bad = random_case(2, 3, kind);
      bad.prediction[4] = std::nan("");
      const Result got = run<float>(ctx, bad);
      CHECK(std::isnan(got.loss));
      CHECK(std::isnan(got.gradient[4]));
      CHECK(std::isfinite(got.gradient[3]));
      CHECK(run<double>(ctx, random_case(0, 3, kind)).loss == 0.0);
    }
  });
}

TEST_CASE("regression_loss: accumulating adds to the gradient alone") {
  on_every_device([](Context& ctx) {
    const Case a = random_case(4, 9, Kind::huber);
    const std::vector<double> before = random_values(36, 3);
    const Shape shape = {1, 4, 9};
    const DeviceArray prediction(ctx, shape, a.prediction), target(ctx, shape, a.target), sum(ctx, shape, before);
    const DeviceArray loss(ctx, {1}, DType::f64), fresh(ctx, shape, DType::f64), only(ctx, {1}, DType::f64);
    regression_loss::Args args = {
        .prediction = prediction, .target = target, .kind = a.kind, .loss = loss, .dprediction = fresh};
    regression_loss::run(ctx, args);
    args.dprediction = sum;
    args.mode = WriteMode::accumulate;

    regression_loss::run(ctx, args);
    regression_loss::run(ctx, {.prediction = prediction, .target = target, .kind = a.kind, .loss = only});

    expect_close(sum.values(), added(before, fresh.values()), {.k = 2});
    expect_equal_bits(only.values(), loss.values());
  });
}

TEST_CASE("regression_loss: replicas give the bits of calls of their own, also with shared targets") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 60, c = 311;
    const std::vector<float> prediction = cast<float>(random_values(r * n * c, 1)),
                             target = cast<float>(random_values(n * c, 2));
    const std::vector<double> scales = {1, 0.5, 3};
    const auto run = [&](std::int64_t replicas, const auto& p, const std::vector<double>& scale_values) {
      const DeviceArray x(ctx, {replicas, n, c}, p), t(ctx, {1, n, c}, target), scale(ctx, {replicas}, scale_values);
      const DeviceArray loss(ctx, {replicas}, DType::f64), dx(ctx, {replicas, n, c}, DType::f32);
      regression_loss::run(ctx, {.prediction = x, .target = t, .scale = scale, .loss = loss, .dprediction = dx});
      return std::pair{loss.download<double>(), dx.download<float>()};
    };

    const auto joint = run(r, prediction, scales);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto alone = run(1, replica_part(prediction, k, r), replica_part(scales, k, r));
      expect_equal_bits(alone.first, replica_part(joint.first, k, r));
      expect_equal_bits(alone.second, replica_part(joint.second, k, r));
    }
  });
}

TEST_CASE("regression_loss: agrees with PyTorch") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("regression_loss")) {
      CAPTURE(g.name());
      Case a = random_case(g.size("n"), g.size("c"), Kind::squared);
      a.kind = g.name() == "squared" ? Kind::squared : g.name() == "absolute" ? Kind::absolute : Kind::huber;
      a.delta = g.number("delta");
      a.prediction = g["prediction"];
      a.target = g["target"];
      a.scale = 1;

      const Result got = run<double>(ctx, a);

      expect_close({got.loss}, {g.number("loss")}, {.k = 16});
      expect_close(got.gradient, g["dprediction"], {.k = 4, .scale = 0.01});
    }
  });
}

TEST_CASE("regression_loss: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray p(ctx, {1, 4, 3}, DType::f32), t(ctx, {1, 4, 2}, DType::f32), loss(ctx, {1}, DType::f64);
  const DeviceArray same(ctx, {1, 4, 3}, DType::f32), scale(ctx, {2}, DType::f64);
  using regression_loss::run;

  CHECK_THROWS_WITH_AS(run(ctx, {.prediction = p, .target = t, .loss = loss}),
                       doctest::Contains("target is [1, 4, 2], expected [1, 4, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.prediction = p, .target = same, .kind = Kind::huber, .delta = 0, .loss = loss}),
                       doctest::Contains("delta is 0"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.prediction = p, .target = same, .scale = scale, .loss = loss}),
                       doctest::Contains("scale is [2], expected [1]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.prediction = p, .target = same}), doctest::Contains("loss is absent"), ShapeError);
}

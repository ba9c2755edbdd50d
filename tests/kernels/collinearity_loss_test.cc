// SPDX-License-Identifier: Apache-2.0
#include "kernels/collinearity_loss.h"

#include <cmath>

#include "tests/oracle/collinearity_loss_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using collinearity_loss::Denominator;

namespace {

struct Case {
  std::int64_t n, h;
  Denominator denominator;
  std::vector<double> z;
  double scale = 1;
};

struct Result {
  double loss;
  std::vector<double> dz;
};

template <class T>
Result run(Context& ctx, const Case& c, Fill fill = Fill::nan) {
  const Shape shape = {1, c.n, c.h};
  const DeviceArray z(ctx, shape, cast<T>(c.z)), scale(ctx, {1}, std::vector<double>{c.scale});
  const DeviceArray loss(ctx, {1}, DType::f64, fill), dz(ctx, shape, DTypeOf<T>::value, fill);
  collinearity_loss::run(ctx, {.z = z, .denominator = c.denominator, .scale = scale, .loss = loss, .dz = dz});
  return {loss.values()[0], dz.values()};
}

Result expected(const Case& c) {
  const auto loss = [&](const auto& z) { return oracle::collinearity_loss(c.n, c.h, c.denominator, z); };
  Result e = {loss(c.z), complex_step([&](const std::vector<Complex>& z) { return loss(z); }, c.z)};
  for (double& d : e.dz) d *= c.scale;
  return e;
}

}  // namespace

TEST_CASE("collinearity_loss: literals, for a bracket of either sign") {
  on_every_device([](Context& ctx) {
    // Rows (1, 2) and (3, -1): sums 3 and 2, squares 5 and 10, S = (9 - 5) + (4 - 10) = -2; D = 4 - 2 = 2.
    const Result negative = run<double>(ctx, {2, 2, Denominator::guarded, {1, 2, 3, -1}, 4});
    // Rows (1, 2) and (1, 1): S = 4 + 2 = 6.
    const Result positive = run<double>(ctx, {2, 2, Denominator::guarded, {1, 2, 1, 1}, 4});

    CHECK(negative.loss == 0.5);
    expect_close(negative.dz, {-4, -2, 2, -6}, {});
    CHECK(positive.loss == 1.5);
    expect_close(positive.dz, {4, 2, 2, 2}, {});
  });
}

TEST_CASE("collinearity_loss: the guarded denominator is never small, the reference's is as published") {
  CHECK(collinearity_loss::divisor_of(Denominator::guarded, 256, 64) == 256.0 * 65472);
  CHECK(collinearity_loss::divisor_of(Denominator::reference, 256, 64) == 256.0 * 65472);
  CHECK(collinearity_loss::divisor_of(Denominator::guarded, 8, 64) == 8.0 * 32);
  CHECK(collinearity_loss::divisor_of(Denominator::reference, 8, 64) == 0);
  CHECK(collinearity_loss::divisor_of(Denominator::guarded, 10, 64) == 10.0 * 50);  // not 36, though that is positive
  CHECK(collinearity_loss::divisor_of(Denominator::guarded, 1, 64) == 0.5);
  CHECK(collinearity_loss::divisor_of(Denominator::reference, 1, 64) == -63);
}

TEST_CASE("collinearity_loss: loss and gradient match the oracle and complex step") {
  for (const auto& size :
       {std::pair{1, 1}, std::pair{1, 33}, std::pair{9, 31}, std::pair{33, 5}, std::pair{8, 32}, std::pair{2, 129}}) {
    const std::int64_t n = size.first, h = size.second;
    for (const double low : {-1.0, 0.0}) {
      CAPTURE(n);
      CAPTURE(h);
      const Case c = {n, h, Denominator::guarded, random_values(n * h, 1, low, 1), 0.75};
      const Result want = expected(c);
      const double terms = static_cast<double>(n * h);  // squares of row sums of h terms lose h eps
      on_every_device([&](Context& ctx) {
        const Result f64 = run<double>(ctx, c), f32 = run<float>(ctx, c, Fill::huge);

        expect_close({f64.loss}, {want.loss}, {.k = 8 * terms});
        expect_close(f64.dz, want.dz, {.k = 8.0 + static_cast<double>(c.h)});
        expect_close({f32.loss}, {want.loss}, {.k = 4, .dtype = DType::f32});
        expect_close(f32.dz, want.dz, {.k = 4, .dtype = DType::f32});
      });
    }
  }
}

TEST_CASE("collinearity_loss: a mean of 1e4 and constant columns") {
  on_every_device([](Context& ctx) {
    Case c = {700, 20, Denominator::guarded, random_values(700 * 20, 1, 9999, 10001), 1};
    for (std::int64_t i = 0; i < c.n; ++i) c.z[static_cast<std::size_t>(i * c.h + 3)] = 1e4;
    const double want = oracle::collinearity_loss(c.n, c.h, c.denominator, c.z);

    expect_close({run<double>(ctx, c).loss, run<float>(ctx, c).loss}, {want, want}, {.k = 700 * 20});
  });
}

TEST_CASE("collinearity_loss: more rows than the second level has threads") {
  on_every_device([](Context& ctx) {
    const Case c = {4300, 64, Denominator::guarded, random_values(4300 * 64, 1, 0, 1), 1};  // over 256 blocks of 8 rows
    double total = 0;
    std::vector<double> sums;
    for (std::int64_t i = 0; i < c.n; ++i) {
      double sum = 0, squares = 0;
      for (std::int64_t j = 0; j < c.h; ++j) {
        const double z = c.z[static_cast<std::size_t>(i * c.h + j)];
        sum += z;
        squares += z * z;
      }
      sums.push_back(sum);
      total += sum * sum - squares;
    }
    const double divisor = collinearity_loss::divisor_of(c.denominator, c.n, c.h);
    std::vector<double> gradient;
    for (std::int64_t i = 0; i < c.n; ++i)
      for (std::int64_t j = 0; j < c.h; ++j)
        gradient.push_back(2 * (sums[static_cast<std::size_t>(i)] - c.z[static_cast<std::size_t>(i * c.h + j)]) /
                           divisor);

    const Result got = run<float>(ctx, c);

    expect_close({got.loss}, {total / divisor}, {.k = 4300, .scale = 0});
    expect_close(got.dz, gradient, {.k = 4, .dtype = DType::f32, .scale = 2 * 64 / divisor});
  });
}

TEST_CASE("collinearity_loss: nothing but zeros gives zeros, NaN reaches the loss, no rows give zero") {
  on_every_device([](Context& ctx) {
    const Result zero = run<float>(ctx, {4, 6, Denominator::guarded, std::vector<double>(24, 0.0), 1});
    Case bad = {4, 6, Denominator::guarded, random_values(24, 1), 1};
    bad.z[7] = std::nan("");

    CHECK(zero.loss == 0.0);
    expect_close(zero.dz, std::vector<double>(24, 0.0), {});
    CHECK(std::isnan(run<float>(ctx, bad).loss));
    CHECK(run<float>(ctx, {0, 6, Denominator::guarded, {}, 1}).loss == 0.0);
  });
}

TEST_CASE("collinearity_loss: accumulating adds to the gradient alone") {
  on_every_device([](Context& ctx) {
    const std::vector<double> values = random_values(5 * 9, 1, 0, 1), before = random_values(5 * 9, 2);
    const DeviceArray z(ctx, {1, 5, 9}, values), fresh(ctx, {1, 5, 9}, DType::f64), sum(ctx, {1, 5, 9}, before);
    const DeviceArray loss(ctx, {1}, DType::f64), only(ctx, {1}, DType::f64);

    collinearity_loss::run(ctx, {.z = z, .loss = loss, .dz = fresh});
    collinearity_loss::run(ctx, {.z = z, .loss = loss, .dz = sum, .mode = WriteMode::accumulate});
    collinearity_loss::run(ctx, {.z = z, .loss = only});

    expect_close(sum.values(), added(before, fresh.values()), {.k = 2});
    expect_equal_bits(only.values(), loss.values());
  });
}

TEST_CASE("collinearity_loss: replicas give the bits of calls of their own") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 300, h = 64;
    const std::vector<float> z = cast<float>(random_values(r * n * h, 1));
    const std::vector<double> scales = {1, 0.5, 3};
    const auto run = [&](std::int64_t replicas, const auto& values, const std::vector<double>& scale_values) {
      const DeviceArray x(ctx, {replicas, n, h}, values), scale(ctx, {replicas}, scale_values);
      const DeviceArray loss(ctx, {replicas}, DType::f64), dx(ctx, {replicas, n, h}, DType::f32);
      collinearity_loss::run(ctx, {.z = x, .scale = scale, .loss = loss, .dz = dx});
      return std::pair{loss.download<double>(), dx.download<float>()};
    };

    const auto joint = run(r, z, scales);

    for (std::int64_t k = 0; k < r; ++k) {
      const auto alone = run(1, replica_part(z, k, r), replica_part(scales, k, r));
      expect_equal_bits(alone.first, replica_part(joint.first, k, r));
      expect_equal_bits(alone.second, replica_part(joint.second, k, r));
    }
  });
}

TEST_CASE("collinearity_loss: agrees with the product form written in PyTorch") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("collinearity_loss")) {
      CAPTURE(g.name());
      const Result got = run<double>(ctx, {g.size("n"), g.size("h"), Denominator::reference, g["z"], 1});

      expect_close({got.loss}, {g.number("loss")}, {.k = 64});
      expect_close(got.dz, g["dz"], {.k = 16});
    }
  });
}

TEST_CASE("collinearity_loss: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray z(ctx, {2, 4, 3}, DType::f32), flat(ctx, {4, 3}, DType::f32), loss(ctx, {2}, DType::f64);
  const DeviceArray one(ctx, {1}, DType::f64);

  CHECK_THROWS_WITH_AS(collinearity_loss::run(ctx, {.z = flat, .loss = loss}),
                       doctest::Contains("z is [4, 3], expected [r, n, h]"), ShapeError);
  CHECK_THROWS_WITH_AS(collinearity_loss::run(ctx, {.z = z, .loss = one}),
                       doctest::Contains("loss is [1], expected [2]"), ShapeError);
  CHECK_THROWS_WITH_AS(collinearity_loss::run(ctx, {.z = z, .loss = loss, .dz = z}), doctest::Contains("dz overlaps z"),
                       ShapeError);
}

// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax_cross_entropy.h"

#include <cmath>

#include "kernels/metrics_confusion.h"
#include "tests/oracle/softmax_cross_entropy_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::CrossEntropyCase;

namespace {

struct Case : CrossEntropyCase {
  std::vector<double> logits;
  double scale = 1;
};

Case random_case(std::int64_t n, std::int64_t k, double mean = 0) {
  Case c;
  c.n = n;
  c.k = k;
  c.labels = random_labels(n, static_cast<std::int32_t>(k), 5);
  if (n > 3) c.labels[2] = -1;
  c.class_weight = random_values(k, 6, 0.25, 3);
  c.sample_weight = random_values(n, 7, 0.25, 3);
  c.smoothing = 0.125;
  c.logits = random_values(n * k, 8, mean - 4, mean + 4);
  c.scale = 2.5;
  return c;
}

struct Result {
  double loss;
  std::vector<double> dlogits, probabilities;
};

template <class T>
Result run(Context& ctx, const Case& c, Fill fill = Fill::nan) {
  const Shape shape = {1, c.n, c.k};
  const DeviceArray logits(ctx, shape, cast<T>(c.logits)), labels(ctx, {1, c.n}, c.labels);
  const DeviceArray class_weight(ctx, {1, c.k}, cast<T>(c.class_weight));
  const DeviceArray sample_weight(ctx, {1, c.n}, cast<T>(c.sample_weight));
  const DeviceArray scale(ctx, {1}, std::vector<double>{c.scale}), loss(ctx, {1}, DType::f64, fill);
  const DeviceArray dlogits(ctx, shape, DTypeOf<T>::value, fill), p(ctx, shape, DTypeOf<T>::value, fill);
  softmax_cross_entropy::run(ctx, {.logits = logits,
                                   .labels = labels,
                                   .class_weight = class_weight,
                                   .sample_weight = sample_weight,
                                   .label_smoothing = c.smoothing,
                                   .scale = scale,
                                   .loss = loss,
                                   .dlogits = dlogits,
                                   .probabilities = p});
  return {loss.values()[0], dlogits.values(), p.values()};
}

Result expected(const Case& c) {
  Result e;
  e.loss = oracle::softmax_cross_entropy(c, c.logits);
  e.dlogits =
      complex_step([&](const std::vector<Complex>& z) { return oracle::softmax_cross_entropy(c, z); }, c.logits);
  for (double& d : e.dlogits) d *= c.scale;
  e.probabilities = oracle::log_softmax(c.n, c.k, c.logits);
  for (double& p : e.probabilities) p = std::exp(p);
  return e;
}

// `scale` is the size of the logits: their differences carry its rounding into every exponential.
void expect_result(const Result& got, const Result& want, DType t, double size) {
  const double roundings = 16;
  expect_close({got.loss}, {want.loss}, {.k = roundings, .dtype = t, .scale = size});
  expect_close(got.dlogits, want.dlogits, {.k = roundings, .dtype = t, .scale = size});
  expect_close(got.probabilities, want.probabilities, {.k = roundings, .dtype = t, .scale = size});
}

}  // namespace

TEST_CASE("softmax_cross_entropy: literals") {
  on_every_device([](Context& ctx) {
    Case c;
    c.n = 2;
    c.k = 2;
    c.labels = {0, 1};
    c.class_weight = {1, 3};
    c.sample_weight = {2, 1};
    c.logits = {0, std::log(3.0), 0, 0};  // probabilities 1/4 3/4, 1/2 1/2; W = 2 + 3

    const Result got = run<double>(ctx, c);

    expect_close({got.loss}, {(2 * std::log(4.0) + 3 * std::log(2.0)) / 5}, {.k = 4});
    expect_close(got.dlogits, {-0.3, 0.3, 0.3, -0.3}, {.k = 4});
    expect_close(got.probabilities, {0.25, 0.75, 0.5, 0.5}, {.k = 4});
  });
}

TEST_CASE("softmax_cross_entropy: loss, gradient and probabilities match the oracle and complex step") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::pair{1, 2}, std::pair{5, 1}, std::pair{7, 31}, std::pair{6, 32}, std::pair{33, 3},
                             std::pair{9, 33}, std::pair{3, 257}}) {
      const std::int64_t n = size.first, k = size.second;
      CAPTURE(n);
      CAPTURE(k);
      const Case c = random_case(n, k);
      const Result want = expected(c);

      expect_result(run<double>(ctx, c, Fill::nan), want, DType::f64, 4);
      expect_result(run<float>(ctx, c, Fill::huge), want, DType::f32, 4);
    }
  });
}

TEST_CASE("softmax_cross_entropy: many rows, a mean of 1e4, a constant column") {
  on_every_device([](Context& ctx) {
    Case c = random_case(2100, 3, 1e4);  // over 256 blocks of 8 rows, two tasks
    for (std::int64_t i = 0; i < c.n; ++i) c.logits[static_cast<std::size_t>(i * c.k + 1)] = 1e4;
    const Result want = {oracle::softmax_cross_entropy(c, c.logits), {}, {}};

    const Result f64 = run<double>(ctx, c), f32 = run<float>(ctx, c);

    expect_close({f64.loss}, {want.loss}, {.k = 64});
    expect_close({f32.loss}, {want.loss}, {.k = 16, .dtype = DType::f32});
    double sum = 0;
    for (const double d : f64.dlogits) sum += d;
    CHECK(std::fabs(sum) < 1e-12);  // each row's gradient sums to zero
  });
}

TEST_CASE("softmax_cross_entropy: absent options are weights of one and no smoothing") {
  on_every_device([](Context& ctx) {
    Case c = random_case(6, 4);
    c.class_weight.assign(4, 1.0);
    c.sample_weight.assign(6, 1.0);
    c.smoothing = 0;
    c.scale = 1;
    const Result want = run<double>(ctx, c);
    const DeviceArray logits(ctx, {1, 6, 4}, c.logits), labels(ctx, {1, 6}, c.labels);
    const DeviceArray loss(ctx, {1}, DType::f64), dlogits(ctx, {1, 6, 4}, DType::f64), only(ctx, {1}, DType::f64);

    softmax_cross_entropy::run(ctx, {.logits = logits, .labels = labels, .loss = loss, .dlogits = dlogits});
    softmax_cross_entropy::run(ctx, {.logits = logits, .labels = labels, .loss = only});

    expect_close(loss.values(), {want.loss}, {.k = 2});
    expect_close(dlogits.values(), want.dlogits, {.k = 2});
    expect_equal_bits(only.values(), loss.values());
  });
}

TEST_CASE("softmax_cross_entropy: ignored rows add nothing, all ignored gives zeros") {
  on_every_device([](Context& ctx) {
    Case some = random_case(5, 3), none = random_case(5, 3);
    some.labels = {-1, 1, 3, 2, -7};  // 3 is no class either
    none.labels.assign(5, -1);

    const Result got = run<double>(ctx, some), zero = run<double>(ctx, none, Fill::huge);

    expect_result(got, expected(some), DType::f64, 4);
    for (const std::size_t i : {0, 1, 2, 6, 7, 8, 12, 13, 14}) CHECK(got.dlogits[i] == 0.0);
    CHECK(zero.loss == 0.0);
    expect_close(zero.dlogits, std::vector<double>(15, 0.0), {});
    expect_close(zero.probabilities, expected(none).probabilities, {.k = 16});
  });
}

TEST_CASE("softmax_cross_entropy: a row whose logits are all far below zero is as any other") {
  on_every_device([](Context& ctx) {
    Case c = random_case(2, 3);
    for (double& x : c.logits) x -= 1e4;
    const Result want = expected(c);

    expect_result(run<double>(ctx, c), want, DType::f64, 1e4);
    expect_result(run<float>(ctx, c), want, DType::f32, 1e4);
  });
}

TEST_CASE("softmax_cross_entropy: NaN and infinity in an ignored row reach neither loss nor gradient") {
  on_every_device([](Context& ctx) {
    Case c = random_case(5, 3);  // row 2 is ignored
    const Result want = expected(c);
    c.logits[6] = std::nan("");
    c.logits[7] = -std::numeric_limits<double>::infinity();

    const Result got = run<double>(ctx, c);

    expect_close({got.loss}, {want.loss}, {.k = 16, .scale = 4});
    expect_close(got.dlogits, want.dlogits, {.k = 16, .scale = 4});
  });
}

TEST_CASE("softmax_cross_entropy: no rows give a loss of zero") {
  on_every_device([](Context& ctx) {
    Case none = random_case(0, 3);

    CHECK(run<float>(ctx, none).loss == 0.0);
  });
}

TEST_CASE("softmax_cross_entropy: weights of zero give zeros, a class never seen is harmless") {
  on_every_device([](Context& ctx) {
    Case c = random_case(4, 3);
    c.labels = {0, 1, 0, 1};
    c.class_weight = {0, 0, 2};
    const Result got = run<double>(ctx, c);

    CHECK(got.loss == 0.0);
    expect_close(got.dlogits, std::vector<double>(12, 0.0), {});
  });
}

TEST_CASE("softmax_cross_entropy: logits of 1e4 stay finite, NaN reaches the loss") {
  on_every_device([](Context& ctx) {
    Case c = random_case(2, 3);
    c.labels = {1, 2};
    c.smoothing = 0;
    c.class_weight = {1, 1, 1};
    c.sample_weight = {1, 1};
    c.logits = {1e4, -1e4, 0, -1e4, 1e4, 1e4};

    const Result f32 = run<float>(ctx, c), f64 = run<double>(ctx, c);
    c.logits[0] = std::nan("");
    const Result bad = run<float>(ctx, c);

    expect_close({f32.loss, f64.loss}, {1e4 + std::log(2.0) / 2, 1e4 + std::log(2.0) / 2},
                 {.k = 2, .dtype = DType::f32});
    expect_close(f64.dlogits, {1.25, -1.25, 0, 0, 0.625, -0.625}, {.k = 4});
    CHECK(std::isnan(bad.loss));
  });
}

TEST_CASE("softmax_cross_entropy: accumulating adds to the gradient alone") {
  on_every_device([](Context& ctx) {
    const Case c = random_case(6, 5);
    const std::vector<double> before = random_values(30, 9);
    const DeviceArray logits(ctx, {1, 6, 5}, c.logits), labels(ctx, {1, 6}, c.labels), loss(ctx, {1}, DType::f64);
    const DeviceArray fresh(ctx, {1, 6, 5}, DType::f64), sum(ctx, {1, 6, 5}, before);

    softmax_cross_entropy::run(ctx, {.logits = logits, .labels = labels, .loss = loss, .dlogits = fresh});
    softmax_cross_entropy::run(
        ctx, {.logits = logits, .labels = labels, .loss = loss, .dlogits = sum, .mode = WriteMode::accumulate});

    expect_close(sum.values(), added(before, fresh.values()), {.k = 2});
  });
}

TEST_CASE("softmax_cross_entropy: replicas give the bits of calls of their own, also with shared labels") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 700, k = 9;
    const std::vector<float> logits = cast<float>(random_values(r * n * k, 1, -3, 3));
    const std::vector<float> weights = cast<float>(random_values(r * n, 2, 0.5, 2));
    const std::vector<std::int32_t> labels = random_labels(n, 9, 3);
    const std::vector<double> scales = {1, 0.5, 3};
    const auto run = [&](std::int64_t replicas, const auto& l, const auto& s, const std::vector<double>& scale_values) {
      const DeviceArray x(ctx, {replicas, n, k}, l), y(ctx, {1, n}, labels), weight(ctx, {replicas, n}, s);
      const DeviceArray scale(ctx, {replicas}, scale_values), loss(ctx, {replicas}, DType::f64);
      const DeviceArray dx(ctx, {replicas, n, k}, DType::f32);
      softmax_cross_entropy::run(
          ctx, {.logits = x, .labels = y, .sample_weight = weight, .scale = scale, .loss = loss, .dlogits = dx});
      return std::pair{loss.download<double>(), dx.download<float>()};
    };

    const auto joint = run(r, logits, weights, scales);

    for (std::int64_t i = 0; i < r; ++i) {
      const auto alone = run(1, replica_part(logits, i, r), replica_part(weights, i, r), replica_part(scales, i, r));
      expect_equal_bits(alone.first, replica_part(joint.first, i, r));
      expect_equal_bits(alone.second, replica_part(joint.second, i, r));
    }
  });
}

TEST_CASE("softmax_cross_entropy: agrees with torch.nn.CrossEntropyLoss") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("softmax_cross_entropy")) {
      CAPTURE(g.name());
      Case c;
      c.n = g.size("n");
      c.k = g.size("k");
      c.labels = g.labels("labels");
      c.class_weight =
          g.has("class_weight") ? g["class_weight"] : std::vector<double>(static_cast<std::size_t>(c.k), 1.0);
      c.sample_weight.assign(static_cast<std::size_t>(c.n), 1.0);
      c.smoothing = g.number("smoothing");
      c.logits = g["logits"];

      expect_result(run<double>(ctx, c), {g.number("loss"), g["dlogits"], g["probabilities"]}, DType::f64, 4);
    }
  });
}

TEST_CASE("softmax_cross_entropy: more rows than one block takes match the oracle's loss and the sum of the gradient") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t n : {1024, 1025, 1500}) {
      CAPTURE(n);
      const Case c = random_case(n, 5);
      const Result got = run<double>(ctx, c);

      expect_close({got.loss}, {oracle::softmax_cross_entropy(c, c.logits)}, {.k = 16, .scale = 4});
      // Gradients of a row add up to nothing, and those of a column are what moving all its logits together does.
      std::vector<double> column(5);
      for (std::size_t i = 0; i < got.dlogits.size(); ++i) column[i % 5] += got.dlogits[i];
      const auto shifted = [&](const std::vector<Complex>& by) {
        std::vector<Complex> z(c.logits.begin(), c.logits.end());
        for (std::size_t i = 0; i < z.size(); ++i) z[i] += by[i % 5];
        return oracle::softmax_cross_entropy(c, z);
      };
      std::vector<double> want = complex_step(shifted, std::vector<double>(5));
      for (double& w : want) w *= c.scale;
      expect_close(column, want, {.k = 2048, .scale = 1});
    }
  });
}

TEST_CASE("softmax_cross_entropy: the confusion counts are those of the op made for them") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t n : {70, 1300})
      for (const std::int64_t k : {3, 40}) {
        CAPTURE(n);
        CAPTURE(k);
        const std::int64_t r = 2;
        std::vector<std::int32_t> truth = random_labels(r * n, static_cast<std::int32_t>(k), 3);
        truth[4] = -1;
        std::vector<double> scores = random_values(r * n * k, 5);
        for (std::int64_t c = 0; c < k; ++c) scores[static_cast<std::size_t>(7 * k + c)] = 1;  // all equal: the first
        const DeviceArray logits(ctx, {r, n, k}, scores), labels(ctx, {r, n}, truth);
        const DeviceArray loss(ctx, {r}, DType::f64), dlogits(ctx, {r, n, k}, DType::f64);
        const std::vector<std::int64_t> start(static_cast<std::size_t>(r * k * k), 3);
        const DeviceArray counts(ctx, {r, k, k}, start), expected(ctx, {r, k, k}, start);
        softmax_cross_entropy::Args args;
        args.logits = logits;
        args.labels = labels;
        args.loss = loss;
        args.counts = counts;
        args.dlogits = dlogits;

        softmax_cross_entropy::run(ctx, args);
        metrics_confusion::count(ctx, {.scores = logits, .labels = labels, .counts = expected});

        expect_equal_bits(counts.download<std::int64_t>(), expected.download<std::int64_t>());
      }
  });
}

TEST_CASE("softmax_cross_entropy: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray logits(ctx, {1, 4, 3}, DType::f32), labels(ctx, {1, 4}, DType::i32), loss(ctx, {1}, DType::f64);
  const DeviceArray few(ctx, {1, 3}, DType::i32), loss32(ctx, {1}, DType::f32), weight(ctx, {1, 4}, DType::f32);
  using softmax_cross_entropy::run;

  CHECK_THROWS_WITH_AS(run(ctx, {.logits = logits, .labels = few, .loss = loss}),
                       doctest::Contains("labels is [1, 3], expected [1, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.logits = logits, .labels = labels, .loss = loss32}),
                       doctest::Contains("loss is f32, expected f64"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.logits = logits, .labels = labels, .class_weight = weight, .loss = loss}),
                       doctest::Contains("class_weight is [1, 4], expected [1, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.logits = logits, .labels = labels, .label_smoothing = 1.5, .loss = loss}),
                       doctest::Contains("label_smoothing is 1.5"), ShapeError);
  CHECK_THROWS_WITH_AS(run(ctx, {.logits = logits, .labels = labels, .loss = loss, .dlogits = logits}),
                       doctest::Contains("dlogits overlaps logits"), ShapeError);
}

// SPDX-License-Identifier: Apache-2.0
#include "kernels/metrics_confusion.h"

#include <cmath>

#include "tests/oracle/metrics_confusion_oracle.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"
#include "tests/support/replicas.h"

using namespace genexx;
using namespace genexx::test;
using oracle::Confusion;

namespace {

// The counts start from zero.
template <class T>
Confusion run(Context& ctx, const Shape& shape, const std::vector<T>& scores, const std::vector<std::int32_t>& labels) {
  const std::int64_t r = shape[0], n = shape[1], k = shape[2];
  const DeviceArray in(ctx, shape, scores), y(ctx, {static_cast<std::int64_t>(labels.size()) / n, n}, labels);
  const DeviceArray counts(ctx, {r, k, k}, std::vector<std::int64_t>(static_cast<std::size_t>(r * k * k)));
  const DeviceArray predicted(ctx, {r, n}, DType::i32);
  metrics_confusion::count(ctx, {.scores = in, .labels = y, .counts = counts, .predicted = predicted});
  return {predicted.download<std::int32_t>(), counts.download<std::int64_t>()};
}

// What is added to a sum of 100.
template <class T>
std::vector<double> run_cross_entropy(Context& ctx, const Shape& shape, const std::vector<T>& scores,
                                      const std::vector<std::int32_t>& labels) {
  const std::int64_t r = shape[0], n = shape[1], k = shape[2];
  const DeviceArray in(ctx, shape, scores), y(ctx, {static_cast<std::int64_t>(labels.size()) / n, n}, labels);
  const DeviceArray counts(ctx, {r, k, k}, std::vector<std::int64_t>(static_cast<std::size_t>(r * k * k)));
  const DeviceArray sum(ctx, {r}, std::vector<double>(static_cast<std::size_t>(r), 100.0));
  metrics_confusion::count(ctx, {.scores = in, .labels = y, .counts = counts, .cross_entropy = sum});
  std::vector<double> added = sum.values();
  for (double& v : added) v -= 100.0;
  return added;
}

}  // namespace

TEST_CASE("metrics_confusion: cross-entropy of literals, far from zero too; rows that are not counted add nothing") {
  on_every_device([](Context& ctx) {
    const double e = std::exp(1.0);
    const std::vector<double> got =
        run_cross_entropy<double>(ctx, {1, 4, 3}, {1, 0, 0, 1e4, 1e4, 1e4 - 1, 5, 5, 5, 7, 7, 7}, {0, 2, -1, 3});

    expect_close(got, {std::log(e + 2) - 1 + std::log(2 + 1 / e) + 1}, {.k = 4, .scale = 1e4});
  });
}

TEST_CASE("metrics_confusion: cross-entropy agrees with the oracle, replica by replica, in f64 from f32 scores") {
  on_every_device([](Context& ctx) {
    for (const auto& size : {std::pair{1, 1}, std::pair{33, 31}, std::pair{257, 33}, std::pair{1200, 7}}) {
      const std::int64_t n = size.first, k = size.second;
      CAPTURE(n);
      const std::vector<float> scores = cast<float>(random_values(2 * n * k, 1, -4, 4));
      const std::vector<std::int32_t> labels = random_labels(n, static_cast<std::int32_t>(k) + 1, 2);

      const std::vector<double> got = run_cross_entropy<float>(ctx, {2, n, k}, scores, labels);

      std::vector<double> want;
      for (std::int64_t r = 0; r < 2; ++r)
        want.push_back(oracle::cross_entropy(
            k, std::vector<double>(scores.begin() + r * n * k, scores.begin() + (r + 1) * n * k), labels));
      const auto terms = static_cast<double>(n);
      expect_close(got, want, {.k = 2 * terms + 4, .scale = 100 + 8 * terms});
    }
  });
}

TEST_CASE("metrics_confusion: a NaN among the logits of a counted row makes the cross-entropy NaN") {
  on_every_device([](Context& ctx) {
    const double nan = std::nan("");

    CHECK(std::isnan(run_cross_entropy<double>(ctx, {1, 1, 3}, {nan, 1, 2}, {1})[0]));
    CHECK(std::isnan(run_cross_entropy<double>(ctx, {1, 1, 3}, {1, 2, nan}, {1})[0]));
    CHECK(run_cross_entropy<double>(ctx, {1, 1, 3}, {1, 2, nan}, {-1})[0] == 0);
  });
}

TEST_CASE("metrics_confusion: literals, the first of equals wins") {
  on_every_device([](Context& ctx) {
    const Confusion got =
        run<double>(ctx, {1, 5, 3}, {1, 5, 5, 7, 7, 7, -3, -2, -1, 0, -1, 0, 2, 1, 3}, {1, 2, 2, -1, 3});

    CHECK(got.predicted == std::vector<std::int32_t>{1, 0, 2, 0, 2});
    CHECK(got.counts == std::vector<std::int64_t>{0, 0, 0, 0, 1, 0, 1, 0, 1});
  });
}

TEST_CASE("metrics_confusion: agrees with the oracle, with ties, for every number of classes around the warp") {
  on_every_device([](Context& ctx) {
    for (const auto& size :
         {std::pair{1, 1}, std::pair{33, 31}, std::pair{257, 32}, std::pair{31, 33}, std::pair{3000, 7}}) {
      const std::int64_t n = size.first, k = size.second;
      CAPTURE(n);
      CAPTURE(k);
      std::vector<double> scores = random_values(static_cast<std::int64_t>(n) * k, 1, -4, 4);
      for (double& s : scores) s = std::floor(s);
      const std::vector<std::int32_t> labels = random_labels(n, k + 1, 2);  // k is no class
      const Confusion want = oracle::confusion(k, scores, labels);
      for_float_types([&](auto zero) {
        const Confusion got = run<decltype(zero)>(ctx, {1, n, k}, cast<decltype(zero)>(scores), labels);

        CHECK(got.predicted == want.predicted);
        CHECK(got.counts == want.counts);
      });
    }
  });
}

TEST_CASE("metrics_confusion: no rows count nothing") {
  on_every_device([](Context& ctx) {
    const DeviceArray scores(ctx, {1, 0, 2}, DType::f32), labels(ctx, {1, 0}, DType::i32);
    const DeviceArray counts(ctx, {1, 2, 2}, std::vector<std::int64_t>{1, 2, 3, 4});

    metrics_confusion::count(ctx, {.scores = scores, .labels = labels, .counts = counts});

    CHECK(counts.download<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3, 4});
  });
}

TEST_CASE("metrics_confusion: NaN is never the largest") {
  on_every_device([](Context& ctx) {
    const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();

    const Confusion got = run<float>(ctx, {1, 3, 3}, {nan, -inf, -inf, nan, nan, nan, 1, nan, 2}, {0, 0, 0});

    CHECK(got.predicted == std::vector<std::int32_t>{1, 0, 2});
    CHECK(got.counts == std::vector<std::int64_t>{1, 1, 1, 0, 0, 0, 0, 0, 0});
  });
}

TEST_CASE("metrics_confusion: adds to what the counts hold, predictions may be left out") {
  on_every_device([](Context& ctx) {
    const DeviceArray scores(ctx, {1, 2, 2}, std::vector<float>{0, 1, 1, 0}),
        labels(ctx, {1, 2}, std::vector<std::int32_t>{1, 1});
    const DeviceArray counts(ctx, {1, 2, 2}, std::vector<std::int64_t>{10'000'000'000, 20, 30, 40});

    metrics_confusion::count(ctx, {.scores = scores, .labels = labels, .counts = counts});

    CHECK(counts.download<std::int64_t>() == std::vector<std::int64_t>{10'000'000'000, 20, 31, 41});
  });
}

TEST_CASE("metrics_confusion: replicas count as calls of their own, with shared labels") {
  on_every_device([](Context& ctx) {
    const std::int64_t r = 3, n = 500, k = 6;
    const std::vector<float> scores = cast<float>(random_values(r * n * k, 1));
    const std::vector<std::int32_t> labels = random_labels(n, 6, 2);

    const Confusion joint = run<float>(ctx, {r, n, k}, scores, labels);

    for (std::int64_t i = 0; i < r; ++i) {
      const Confusion alone = run<float>(ctx, {1, n, k}, replica_part(scores, i, r), labels);
      CHECK(alone.predicted == replica_part(joint.predicted, i, r));
      CHECK(alone.counts == replica_part(joint.counts, i, r));
    }
  });
}

TEST_CASE("metrics_confusion: agrees with PyTorch") {
  on_every_device([](Context& ctx) {
    for (const GoldenCase& g : golden_cases("metrics_confusion")) {
      const Confusion got = run<double>(ctx, {1, g.size("n"), g.size("k")}, g["scores"], g.labels("labels"));

      CHECK(got.predicted == g.labels("predicted"));
      CHECK(std::vector<double>(got.counts.begin(), got.counts.end()) == g["counts"]);
    }
  });
}

TEST_CASE("metrics_confusion: names the wrong argument") {
  CpuContext ctx;
  const DeviceArray scores(ctx, {1, 4, 3}, DType::f32), labels(ctx, {1, 4}, DType::i32),
      counts(ctx, {1, 3, 3}, DType::i64);
  const DeviceArray small(ctx, {1, 2, 2}, DType::i64), few(ctx, {1, 3}, DType::i32);
  using metrics_confusion::count;

  CHECK_THROWS_WITH_AS(count(ctx, {.scores = scores, .labels = few, .counts = counts}),
                       doctest::Contains("labels is [1, 3], expected [1, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(count(ctx, {.scores = scores, .labels = labels, .counts = small}),
                       doctest::Contains("counts is [1, 2, 2], expected [1, 3, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(count(ctx, {.scores = scores, .labels = labels, .counts = counts, .cross_entropy = scores}),
                       doctest::Contains("cross_entropy is [1, 4, 3], expected [1]"), ShapeError);
}

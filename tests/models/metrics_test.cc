// SPDX-License-Identifier: Apache-2.0
#include "models/metrics.h"

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tests/support/golden_json.h"

using namespace genexx;
using Json = nlohmann::json;

namespace {

// Both undefined, or equal within 4 roundings of a sum of a few hundred terms near 1.
void check_equal(const char* name, const std::optional<double>& actual, const Json& expected) {
  CAPTURE(name);
  if (expected.is_null()) {
    CHECK_FALSE(actual.has_value());
    return;
  }
  REQUIRE(actual.has_value());
  CHECK(std::fabs(*actual - expected.get<double>()) <= 1e-14);
}

ClassificationMetrics judge(std::int64_t classes, const std::vector<std::int32_t>& truth,
                            const std::vector<std::int32_t>& predicted, const std::vector<float>& probability = {}) {
  return classification_metrics(
      {.classes = classes, .truth = truth, .predicted = predicted, .probability = probability});
}

}  // namespace

TEST_CASE("metrics: macro figures are scikit-learn's and imbalanced-learn's") {
  const Json golden = test::golden_json("metrics");
  REQUIRE(golden["cases"].size() == 12);
  for (const Json& c : golden["cases"]) {
    const std::string name = c["name"];
    CAPTURE(name);
    const ClassificationMetrics m = judge(c["classes"], c["truth"], c["predicted"], c["probability"]);
    const Json& want = c["expected"];

    check_equal("accuracy", m.accuracy, want["accuracy"]);
    check_equal("balanced_accuracy", m.balanced_accuracy, want["balanced_accuracy"]);
    check_equal("macro_f1", m.macro_f1, want["macro_f1"]);
    check_equal("weighted_f1", m.weighted_f1, want["weighted_f1"]);
    check_equal("precision", m.precision, want["precision"]);
    check_equal("recall", m.recall, want["recall"]);
    check_equal("sensitivity", m.sensitivity, want["sensitivity"]);
    if (name != "one cell") check_equal("specificity", m.specificity, want["specificity"]);
    check_equal("auroc", m.auroc, want["auroc"]);
    check_equal("auprc", m.auprc, want["auprc"]);
  }
}

TEST_CASE("metrics: figures of each class are scikit-learn's and imbalanced-learn's, its 0 for 0/0 being absent") {
  const Json golden = test::golden_json("metrics");
  REQUIRE(golden["cases"].size() == 12);
  for (const Json& c : golden["cases"]) {
    const std::string name = c["name"];
    CAPTURE(name);
    const ClassificationMetrics m = judge(c["classes"], c["truth"], c["predicted"], c["probability"]);
    const Json& want = c["expected"]["per_class"];

    REQUIRE(m.per_class.size() == want["support"].size());
    for (std::size_t k = 0; k < m.per_class.size(); ++k) {
      CAPTURE(k);
      const ClassMetrics& one = m.per_class[k];
      check_equal("precision", one.precision.value_or(0), want["precision"][k]);
      check_equal("recall", one.recall.value_or(0), want["recall"][k]);
      check_equal("f1", one.f1.value_or(0), want["f1"][k]);
      check_equal("specificity", one.specificity.value_or(0), want["specificity"][k]);
      check_equal("auroc", one.auroc, want["auroc"][k]);
      check_equal("auprc", one.auprc, want["auprc"][k]);
      CHECK(one.support == want["support"][k].get<std::int64_t>());
      CHECK(one.precision.has_value() == (one.predicted > 0));
      CHECK(one.recall.has_value() == (one.support > 0));
    }
  }
}

TEST_CASE("metrics: literals") {
  // truth 0 0 0 1 1 2, predicted 0 0 1 1 1 0
  const ClassificationMetrics m = judge(3, {0, 0, 0, 1, 1, 2}, {0, 0, 1, 1, 1, 0});

  CHECK(m.confusion.counts == std::vector<std::int64_t>{2, 1, 0, 0, 2, 0, 1, 0, 0});
  CHECK(*m.accuracy == doctest::Approx(4.0 / 6).epsilon(1e-15));
  CHECK(*m.balanced_accuracy == doctest::Approx((2.0 / 3 + 1 + 0) / 3).epsilon(1e-15));
  CHECK(*m.macro_f1 == doctest::Approx((2.0 / 3 + 0.8 + 0) / 3).epsilon(1e-15));
  CHECK(*m.weighted_f1 == doctest::Approx((3 * 2.0 / 3 + 2 * 0.8) / 6).epsilon(1e-15));
  CHECK(*m.precision == doctest::Approx((2.0 / 3 + 2.0 / 3 + 0) / 3).epsilon(1e-15));
  CHECK(*m.specificity == doctest::Approx((2.0 / 3 + 3.0 / 4 + 1) / 3).epsilon(1e-15));
  CHECK_FALSE(m.per_class[2].precision.has_value());
  CHECK_FALSE(m.auroc.has_value());
  CHECK(m.cells == 6);
}

TEST_CASE("metrics: ranking literals with ties") {
  // Scores of class 1: positives 0.9 0.5, negatives 0.5 0.1. Pairs in order: 3 and one tie of four.
  const ClassificationMetrics m =
      judge(2, {1, 1, 0, 0}, {1, 1, 1, 0}, {0.1f, 0.9f, 0.5f, 0.5f, 0.5f, 0.5f, 0.9f, 0.1f});

  CHECK(*m.per_class[1].auroc == 3.5 / 4);
  CHECK(*m.per_class[1].auprc == doctest::Approx(0.5 * 1 + 0.5 * (2.0 / 3)).epsilon(1e-15));
}

TEST_CASE("metrics: a cell without a known label is left out and counted") {
  const std::vector<float> probability = {0.9f, 0.1f, 0.2f, 0.8f, std::nanf(""), 0.5f};
  const ClassificationMetrics with = judge(2, {0, 1, -1}, {0, 0, 1}, probability);
  const ClassificationMetrics without = judge(2, {0, 1}, {0, 0}, {0.9f, 0.1f, 0.2f, 0.8f});

  CHECK(with.unknown_labels == 1);
  CHECK(with.cells == 2);
  CHECK(with.accuracy == without.accuracy);
  CHECK(with.specificity == without.specificity);
  CHECK(with.auroc == without.auroc);
}

TEST_CASE("metrics: a rejected cell is never right, and no class's false positive") {
  const ClassificationMetrics m = judge(2, {0, 0, 1, 1}, {0, -1, 1, 1});

  CHECK(m.rejected == 1);
  CHECK(m.confusion.rejected == std::vector<std::int64_t>{1, 0});
  CHECK(*m.accuracy == 0.75);
  CHECK(*m.per_class[0].recall == 0.5);
  CHECK(*m.per_class[0].precision == 1);
  CHECK(*m.per_class[1].precision == 1);
  CHECK(*m.per_class[1].specificity == 1);
}

TEST_CASE("metrics: a single class has accuracy but neither specificity nor auroc") {
  const ClassificationMetrics m = judge(2, {0, 0}, {0, 0}, {0.9f, 0.1f, 0.8f, 0.2f});

  CHECK(*m.accuracy == 1);
  CHECK(*m.macro_f1 == 1);
  CHECK_FALSE(m.specificity.has_value());
  CHECK_FALSE(m.auroc.has_value());
  CHECK(*m.auprc == 1);
}

TEST_CASE("metrics: without cells everything is absent") {
  const ClassificationMetrics m = judge(3, {}, {});

  CHECK_FALSE(m.accuracy.has_value());
  CHECK_FALSE(m.balanced_accuracy.has_value());
  CHECK_FALSE(m.macro_f1.has_value());
  CHECK_FALSE(m.weighted_f1.has_value());
  CHECK_FALSE(m.precision.has_value());
  CHECK_FALSE(m.specificity.has_value());
  CHECK(m.per_class.size() == 3);
}

TEST_CASE("metrics: names what is wrong with the input") {
  CHECK_THROWS_WITH_AS(judge(2, {0, 1}, {0}), doctest::Contains("predicted has 1 values, expected 2"), ShapeError);
  CHECK_THROWS_WITH_AS(judge(2, {0, 1}, {0, 1}, {0.5f}), doctest::Contains("probability has 1 values, expected 4"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(judge(2, {0, 2}, {0, 1}), doctest::Contains("cell 1 is of class 2"), ShapeError);
  CHECK_THROWS_WITH_AS(judge(2, {0, 1}, {0, 1}, {1.0f, 0.0f, std::nanf(""), 1.0f}),
                       doctest::Contains("class 0 for cell 1 is NaN"), RuntimeError);
}

TEST_CASE("metrics: regression errors are scikit-learn's, their spread over genes numpy's") {
  const Json golden = test::golden_json("metrics")["regression"];
  const std::vector<float> truth = golden["truth"], predicted = golden["predicted"];

  const RegressionMetrics m = regression_metrics(
      {.samples = golden["samples"], .genes = golden["genes"], .truth = truth, .predicted = predicted});

  check_equal("mae", m.mae, golden["mae"]);
  check_equal("mae_sd", m.mae_sd, golden["mae_sd"]);
  REQUIRE(m.per_gene.size() == 5);
  for (std::size_t g = 0; g < 5; ++g) check_equal("per_gene", m.per_gene[g], golden["per_gene"][g]);
}

TEST_CASE("metrics: regression names a NaN and takes no samples") {
  const std::vector<float> truth = {1, 2, 3, 4}, predicted = {1, 2, 3, std::nanf("")};

  CHECK_THROWS_WITH_AS(regression_metrics({.samples = 2, .genes = 2, .truth = truth, .predicted = predicted}),
                       doctest::Contains("sample 1, gene 1"), RuntimeError);
  CHECK_THROWS_WITH_AS(regression_metrics({.samples = 2, .genes = 1, .truth = truth, .predicted = truth}),
                       doctest::Contains("truth has 4 values, expected 2"), ShapeError);
  CHECK_FALSE(regression_metrics({.samples = 0, .genes = 3}).mae.has_value());
}

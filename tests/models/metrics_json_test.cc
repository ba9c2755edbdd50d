// SPDX-License-Identifier: Apache-2.0
#include "models/metrics_json.h"

#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;
using Json = nlohmann::json;

namespace {

ClassificationMetrics judge(const std::vector<std::int32_t>& truth, const std::vector<std::int32_t>& predicted) {
  return classification_metrics({.classes = 3, .truth = truth, .predicted = predicted});
}

const std::vector<std::string> kNames = {"B cell", "NK/T", "T cell"};

}  // namespace

TEST_CASE("metrics_json: holds the promised fields") {
  const std::vector<ClassificationMetrics> one = {judge({0, 1, 2, 2}, {0, 1, 2, 1})};

  const Json json = metrics_json(one, kNames);

  std::set<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.insert(key);
  CHECK(keys == std::set<std::string>{"accuracy", "auprc", "auroc", "balanced_accuracy", "cells", "f1_quartiles",
                                      "macro_f1", "per_class", "precision", "recall", "rejected", "replicas", "sd",
                                      "sensitivity", "specificity", "unknown_labels", "weighted_f1"});
  CHECK(json["accuracy"] == 0.75);
  CHECK(json["cells"] == 4);
  CHECK(json["auroc"].is_null());
  CHECK(json["per_class"]["T cell"]["recall"] == 0.5);
  CHECK(json["per_class"]["T cell"]["support"] == 2);
  CHECK(json["per_class"]["NK/T"]["precision"] == 0.5);
  CHECK(json["per_class"]["NK/T"].size() == 7);
  CHECK(json["f1_quartiles"].size() == 5);
  CHECK(json["f1_quartiles"][1].get<double>() == doctest::Approx(2.0 / 3).epsilon(1e-15));  // of 1, 2/3 and 2/3
  CHECK(json["f1_quartiles"][3].get<double>() == doctest::Approx(2.5 / 3).epsilon(1e-15));
  CHECK(json["sd"]["accuracy"].is_null());
  CHECK(json["replicas"].size() == 1);
  CHECK(json["replicas"][0]["accuracy"] == 0.75);
}

TEST_CASE("metrics_json: means and standard deviations over replicas, of those where the figure is defined") {
  const std::vector<ClassificationMetrics> three = {
      judge({0, 1, 2, 2}, {0, 1, 2, 1}), judge({0, 1, 2, 2}, {0, 1, 2, 2}), judge({0, 0, 0, 0}, {0, 0, 0, 0})};

  const Json json = metrics_json(three, kNames);

  CHECK(json["accuracy"].get<double>() == doctest::Approx(2.75 / 3).epsilon(1e-15));
  CHECK(json["sd"]["accuracy"].get<double>() == doctest::Approx(std::sqrt(1.0 / 48)).epsilon(1e-14));
  CHECK(json["per_class"]["T cell"]["recall"] == 0.75);
  CHECK(json["replicas"][2]["specificity"].is_null());
  CHECK(json["specificity"] == metrics_json(std::span(three).first(2), kNames)["specificity"]);
  CHECK(json["per_class"]["NK/T"]["support"].get<double>() == doctest::Approx(2.0 / 3).epsilon(1e-15));
}

TEST_CASE("metrics_json: regression by gene") {
  const std::vector<float> truth = {0, 0, 0, 0}, first = {1, 2, 3, 4}, second = {1, 2, 1, 2};
  const std::vector<std::string> genes = {"TP53", "MYC"};
  const std::vector<RegressionMetrics> two = {
      regression_metrics({.samples = 2, .genes = 2, .truth = truth, .predicted = first}),
      regression_metrics({.samples = 2, .genes = 2, .truth = truth, .predicted = second})};

  const Json json = metrics_json(two, genes);

  CHECK(json["mae"] == 2.0);
  CHECK(json["sd"]["mae"].get<double>() == doctest::Approx(std::sqrt(0.5)).epsilon(1e-15));
  CHECK(json["mae_sd"] == 0.5);
  CHECK(json["per_gene"]["TP53"] == 1.5);
  CHECK(json["per_gene"]["MYC"] == 2.5);
  CHECK(json["samples"] == 2);
  CHECK(json["replicas"][1]["mae"] == 1.5);
}

TEST_CASE("metrics_json: no replicas give nulls, wrong names are refused") {
  const Json empty = metrics_json(std::span<const ClassificationMetrics>(), kNames);
  const std::vector<ClassificationMetrics> one = {judge({0}, {0})};
  const std::vector<std::string> two_names = {"a", "b"};

  CHECK(empty["accuracy"].is_null());
  CHECK(empty["replicas"] == Json::array());
  CHECK(empty["f1_quartiles"] == Json::array());
  CHECK_THROWS_WITH_AS(metrics_json(one, two_names), doctest::Contains("names has 2 names, expected 3"), ShapeError);
}

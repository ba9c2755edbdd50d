// SPDX-License-Identifier: Apache-2.0
#include "models/metrics_json.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "models/quartiles.h"

namespace genexx {
namespace {

using Json = nlohmann::json;

template <class Metrics>
struct Figure {
  const char* name;
  std::optional<double> Metrics::*value;
};
template <class Metrics>
struct Count {
  const char* name;
  std::int64_t Metrics::*value;
};

constexpr Figure<ClassificationMetrics> kFigures[] = {{"accuracy", &ClassificationMetrics::accuracy},
                                                      {"balanced_accuracy", &ClassificationMetrics::balanced_accuracy},
                                                      {"macro_f1", &ClassificationMetrics::macro_f1},
                                                      {"weighted_f1", &ClassificationMetrics::weighted_f1},
                                                      {"precision", &ClassificationMetrics::precision},
                                                      {"recall", &ClassificationMetrics::recall},
                                                      {"sensitivity", &ClassificationMetrics::sensitivity},
                                                      {"specificity", &ClassificationMetrics::specificity},
                                                      {"auroc", &ClassificationMetrics::auroc},
                                                      {"auprc", &ClassificationMetrics::auprc}};
constexpr Count<ClassificationMetrics> kCounts[] = {{"cells", &ClassificationMetrics::cells},
                                                    {"unknown_labels", &ClassificationMetrics::unknown_labels},
                                                    {"rejected", &ClassificationMetrics::rejected}};
constexpr Figure<ClassMetrics> kClassFigures[] = {
    {"precision", &ClassMetrics::precision},     {"recall", &ClassMetrics::recall}, {"f1", &ClassMetrics::f1},
    {"specificity", &ClassMetrics::specificity}, {"auroc", &ClassMetrics::auroc},   {"auprc", &ClassMetrics::auprc}};
constexpr Count<ClassMetrics> kClassCounts[] = {{"support", &ClassMetrics::support}};
constexpr Figure<RegressionMetrics> kErrors[] = {{"mae", &RegressionMetrics::mae},
                                                 {"mae_sd", &RegressionMetrics::mae_sd}};
constexpr Count<RegressionMetrics> kErrorCounts[] = {{"samples", &RegressionMetrics::samples}};

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

// A mean count: an integer where it is one.
Json count_json(double mean) {
  const std::int64_t whole = static_cast<std::int64_t>(mean);
  return static_cast<double>(whole) == mean ? Json(whole) : Json(mean);
}

struct Spread {
  std::optional<double> mean, sd;
};

Spread spread_of(const std::vector<double>& values) {
  if (values.empty()) return {};
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double n = static_cast<double>(values.size()), mean = sum / n;
  for (const double v : values) squares += (v - mean) * (v - mean);
  Spread spread{mean, std::nullopt};
  if (values.size() > 1) spread.sd = std::sqrt(squares / (n - 1));
  return spread;
}

template <class Metrics>
Spread spread_over(std::span<const Metrics> replicas, std::optional<double> Metrics::*value) {
  std::vector<double> defined;
  for (const Metrics& m : replicas)
    if (m.*value) defined.push_back(*(m.*value));
  return spread_of(defined);
}

template <class Metrics, std::size_t kN>
Json counts_json(std::span<const Metrics> replicas, const Count<Metrics> (&counts)[kN]) {
  Json json = Json::object();
  for (const Count<Metrics>& count : counts) {
    double sum = 0;
    for (const Metrics& m : replicas) sum += static_cast<double>(m.*(count.value));
    json[count.name] = count_json(replicas.empty() ? 0 : sum / static_cast<double>(replicas.size()));
  }
  return json;
}

// The figures' means and the counts.
template <class Metrics, std::size_t kF, std::size_t kC>
Json means_json(std::span<const Metrics> replicas, const Figure<Metrics> (&figures)[kF],
                const Count<Metrics> (&counts)[kC]) {
  Json json = counts_json(replicas, counts);
  for (const Figure<Metrics>& f : figures) json[f.name] = number_or_null(spread_over(replicas, f.value).mean);
  return json;
}

// Means with `sd` and `replicas` beside them.
template <class Metrics, std::size_t kF, std::size_t kC>
Json summary_json(std::span<const Metrics> replicas, const Figure<Metrics> (&figures)[kF],
                  const Count<Metrics> (&counts)[kC]) {
  Json json = means_json(replicas, figures, counts);
  for (const Figure<Metrics>& f : figures) json["sd"][f.name] = number_or_null(spread_over(replicas, f.value).sd);
  json["replicas"] = Json::array();
  for (std::size_t k = 0; k < replicas.size(); ++k)
    json["replicas"].push_back(means_json(replicas.subspan(k, 1), figures, counts));
  return json;
}

void expect_names(std::size_t actual, std::size_t expected, const char* what) {
  if (actual == expected) return;
  throw ShapeError(
      std::string(what) + " has " + std::to_string(actual) + " names, expected " + std::to_string(expected),
      CodeLocation::here());
}

}  // namespace

Json metrics_json(std::span<const ClassificationMetrics> replicas, std::span<const std::string> names) {
  Json json = summary_json(replicas, kFigures, kCounts);
  json["per_class"] = Json::object();
  std::vector<double> f1;
  for (std::size_t c = 0; c < names.size(); ++c) {
    std::vector<ClassMetrics> one;
    for (const ClassificationMetrics& m : replicas) {
      expect_names(names.size(), m.per_class.size(), "names");
      one.push_back(m.per_class[c]);
    }
    json["per_class"][names[c]] = means_json(std::span<const ClassMetrics>(one), kClassFigures, kClassCounts);
    if (const auto mean = spread_over(std::span<const ClassMetrics>(one), &ClassMetrics::f1).mean) f1.push_back(*mean);
  }
  json["f1_quartiles"] = quartiles(std::move(f1));
  return json;
}

Json metrics_json(std::span<const RegressionMetrics> replicas, std::span<const std::string> genes) {
  Json json = summary_json(replicas, kErrors, kErrorCounts);
  json["per_gene"] = Json::object();
  for (std::size_t g = 0; g < genes.size(); ++g) {
    std::vector<double> errors;
    for (const RegressionMetrics& m : replicas) {
      if (m.samples == 0) continue;
      expect_names(genes.size(), m.per_gene.size(), "genes");
      errors.push_back(m.per_gene[g]);
    }
    json["per_gene"][genes[g]] = number_or_null(spread_of(errors).mean);
  }
  return json;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/metrics.h"

#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "engine/error.h"
#include "models/ranking_metrics.h"

namespace genexx {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void expect_length(const char* name, std::size_t actual, std::size_t expected) {
  if (actual == expected) return;
  throw ShapeError(
      std::string(name) + " has " + std::to_string(actual) + " values, expected " + std::to_string(expected),
      CodeLocation::here());
}

void check(const ClassificationInput& input) {
  expect_length("predicted", input.predicted.size(), input.truth.size());
  if (!input.probability.empty())
    expect_length("probability", input.probability.size(), input.truth.size() * at(input.classes));
  for (std::size_t i = 0; i < input.truth.size(); ++i)
    if (input.truth[i] >= input.classes || input.predicted[i] >= input.classes)
      throw ShapeError("cell " + std::to_string(i) + " is of class " + std::to_string(input.truth[i]) +
                           " and predicted " + std::to_string(input.predicted[i]) + ", expected less than " +
                           std::to_string(input.classes),
                       CodeLocation::here());
}

std::optional<double> quotient(std::int64_t above, std::int64_t below) {
  if (below == 0) return std::nullopt;
  return static_cast<double>(above) / static_cast<double>(below);
}

// Mean of the values that are there.
class Mean {
 public:
  void add(double value, double weight = 1) {
    sum_ += weight * value;
    weight_ += weight;
  }
  void add_defined(const std::optional<double>& value) {
    if (value) add(*value);
  }
  std::optional<double> value() const { return weight_ > 0 ? std::optional<double>(sum_ / weight_) : std::nullopt; }

 private:
  double sum_ = 0, weight_ = 0;
};

ClassMetrics one_class(const Confusion& confusion, std::int64_t c, std::int64_t cells) {
  ClassMetrics m;
  m.support = confusion.rejected[at(c)];
  for (std::int64_t other = 0; other < confusion.classes; ++other) {
    m.support += confusion.at(c, other);
    m.predicted += confusion.at(other, c);
  }
  const std::int64_t hits = confusion.at(c, c), negatives = cells - m.support;
  m.precision = quotient(hits, m.predicted);
  m.recall = quotient(hits, m.support);
  m.f1 = quotient(2 * hits, m.support + m.predicted);
  m.specificity = quotient(negatives - (m.predicted - hits), negatives);
  return m;
}

void average(ClassificationMetrics& m) {
  Mean balanced, f1, weighted, precision, recall, specificity;
  std::int64_t hits = 0;
  bool any_specificity = false;
  for (std::int64_t c = 0; c < m.confusion.classes; ++c) {
    const ClassMetrics& one = m.per_class[at(c)];
    hits += m.confusion.at(c, c);
    if (one.support + one.predicted == 0) continue;
    balanced.add_defined(one.recall);
    f1.add(one.f1.value_or(0));
    weighted.add(one.f1.value_or(0), static_cast<double>(one.support));
    precision.add(one.precision.value_or(0));
    recall.add(one.recall.value_or(0));
    specificity.add(one.specificity.value_or(0));
    any_specificity = any_specificity || one.specificity;
  }
  m.accuracy = quotient(hits, m.cells);
  m.balanced_accuracy = balanced.value();
  m.macro_f1 = f1.value();
  m.weighted_f1 = weighted.value();
  m.precision = precision.value();
  m.recall = m.sensitivity = recall.value();
  if (any_specificity) m.specificity = specificity.value();
}

}  // namespace

ClassificationMetrics classification_metrics(Confusion confusion) {
  ClassificationMetrics m;
  for (const std::int64_t rejected : confusion.rejected) m.rejected += rejected;
  m.cells = std::accumulate(confusion.counts.begin(), confusion.counts.end(), m.rejected);
  for (std::int64_t c = 0; c < confusion.classes; ++c) m.per_class.push_back(one_class(confusion, c, m.cells));
  m.confusion = std::move(confusion);
  average(m);
  return m;
}

ClassificationMetrics classification_metrics(const ClassificationInput& input) {
  check(input);
  Confusion confusion(input.classes);
  std::int64_t unknown_labels = 0;
  for (std::size_t i = 0; i < input.truth.size(); ++i) {
    if (input.truth[i] >= 0) {
      confusion.add(input.truth[i], input.predicted[i]);
    } else {
      ++unknown_labels;
    }
  }
  ClassificationMetrics m = classification_metrics(std::move(confusion));
  m.unknown_labels = unknown_labels;
  if (input.probability.empty()) return m;
  Mean auroc, auprc;
  for (std::int64_t c = 0; c < input.classes; ++c) {
    ClassMetrics& one = m.per_class[at(c)];
    const Ranking ranking = rank_scores({.scores = input.probability,
                                         .stride = input.classes,
                                         .column = c,
                                         .classes = input.truth,
                                         .positive = static_cast<std::int32_t>(c)});
    one.auroc = ranking.auroc;
    one.auprc = ranking.average_precision;
    auroc.add_defined(one.auroc);
    auprc.add_defined(one.auprc);
  }
  m.auroc = auroc.value();
  m.auprc = auprc.value();
  return m;
}

RegressionMetrics regression_metrics(const RegressionInput& input) {
  expect_length("truth", input.truth.size(), at(input.samples * input.genes));
  expect_length("predicted", input.predicted.size(), at(input.samples * input.genes));
  RegressionMetrics m;
  m.samples = input.samples;
  if (input.samples == 0 || input.genes == 0) return m;
  m.per_gene.assign(at(input.genes), 0.0);
  for (std::int64_t i = 0; i < input.samples; ++i)
    for (std::int64_t g = 0; g < input.genes; ++g) {
      const std::size_t place = at(i * input.genes + g);
      const double error =
          std::fabs(static_cast<double>(input.truth[place]) - static_cast<double>(input.predicted[place]));
      if (std::isnan(error))
        throw RuntimeError("sample " + std::to_string(i) + ", gene " + std::to_string(g) + ": true value " +
                           std::to_string(input.truth[place]) + ", predicted " +
                           std::to_string(input.predicted[place]) +
                           ", expected numbers; training has probably diverged, try a lower learning rate");
      m.per_gene[at(g)] += error;
    }
  Mean mean, variance;
  for (double& error : m.per_gene) {
    error /= static_cast<double>(input.samples);
    mean.add(error);
  }
  m.mae = mean.value();
  for (const double error : m.per_gene) variance.add((error - *m.mae) * (error - *m.mae));
  m.mae_sd = std::sqrt(*variance.value());
  return m;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// How good a classifier's answers are, as scikit-learn and imbalanced-learn define it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace genexx {

struct ClassificationInput {
  std::int64_t classes = 0;
  std::span<const std::int32_t> truth;      // [cells]; below zero: no or an unknown label, the cell is left out
  std::span<const std::int32_t> predicted;  // [cells]; below zero: rejected, which is never right
  std::span<const float> probability;       // [cells, classes], or empty: no auroc, no auprc
};

// Cells by true and predicted class.
struct Confusion {
  std::int64_t classes = 0;
  std::vector<std::int64_t> counts;    // [classes, classes], rows are the truth
  std::vector<std::int64_t> rejected;  // [classes], by truth

  Confusion() = default;
  explicit Confusion(std::int64_t number_of_classes)
      : classes(number_of_classes),
        counts(static_cast<std::size_t>(classes * classes), 0),
        rejected(static_cast<std::size_t>(classes), 0) {}

  // One more cell; `predicted` below zero: rejected.
  void add(std::int32_t truth, std::int32_t predicted) {
    ++(predicted < 0 ? rejected[static_cast<std::size_t>(truth)]
                     : counts[static_cast<std::size_t>(truth * classes + predicted)]);
  }
  std::int64_t at(std::int64_t truth, std::int64_t predicted) const {
    return counts[static_cast<std::size_t>(truth * classes + predicted)];
  }
};

// Of one class against all others. Absent where the quotient is 0 / 0.
struct ClassMetrics {
  std::optional<double> precision;    // tp / (tp + fp)
  std::optional<double> recall;       // tp / (tp + fn)
  std::optional<double> f1;           // 2 tp / (2 tp + fp + fn)
  std::optional<double> specificity;  // tn / (tn + fp)
  std::optional<double> auroc, auprc;
  std::int64_t support = 0;    // cells that are of the class
  std::int64_t predicted = 0;  // cells that are said to be
};

// Macro averages are over the classes that occur in truth or prediction, an absent quotient counting as 0:
// scikit-learn's average="macro", zero_division=0, and imbalanced-learn's likewise. Absent where there is nothing to
// average.
struct ClassificationMetrics {
  std::optional<double> accuracy;
  std::optional<double> balanced_accuracy;  // mean recall of the classes that occur in the truth
  std::optional<double> macro_f1;
  std::optional<double> weighted_f1;  // weighted by support
  std::optional<double> precision, recall;
  std::optional<double> sensitivity, specificity;  // specificity is absent where every class's is (a single class)
  std::optional<double> auroc, auprc;              // one against the rest, mean of the classes where it is defined
  std::vector<ClassMetrics> per_class;             // [classes]
  Confusion confusion;
  std::int64_t cells = 0;           // judged
  std::int64_t unknown_labels = 0;  // left out for want of a known label
  std::int64_t rejected = 0;        // judged cells without a prediction
};

// What the counts alone tell: everything but auroc, auprc and unknown_labels.
ClassificationMetrics classification_metrics(Confusion confusion);

// Throws ShapeError for lengths that differ or a code that is not below `classes`; RuntimeError for a NaN probability.
// O(classes * cells log cells) with probabilities.
ClassificationMetrics classification_metrics(const ClassificationInput& input);

struct RegressionInput {
  std::int64_t samples = 0, genes = 0;
  std::span<const float> truth, predicted;  // [samples, genes]
};

struct RegressionMetrics {
  std::optional<double> mae;     // mean absolute error over all values; absent without any
  std::optional<double> mae_sd;  // standard deviation (ddof 0) of per_gene, as D-GEX reports it
  std::vector<double> per_gene;  // [genes], empty without samples
  std::int64_t samples = 0;
};

// Sums in f64. Throws ShapeError for lengths that differ, RuntimeError naming sample and gene where a difference is
// NaN.
RegressionMetrics regression_metrics(const RegressionInput& input);

}  // namespace genexx

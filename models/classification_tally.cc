// SPDX-License-Identifier: Apache-2.0
#include "models/classification_tally.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace genexx {

ClassificationTally::ClassificationTally(std::int64_t classes)
    : hits_(static_cast<std::size_t>(classes), 0), labelled_(hits_), predicted_(hits_) {}

void ClassificationTally::add(const double* logits, std::int32_t label) {
  if (label < 0) return;
  const auto classes = static_cast<std::ptrdiff_t>(hits_.size());
  const double* const top = std::max_element(logits, logits + classes);
  double sum = 0;
  for (std::ptrdiff_t k = 0; k < classes; ++k) sum += std::exp(logits[k] - *top);
  loss_ += std::log(sum) + *top - logits[label];
  const auto guess = static_cast<std::size_t>(top - logits);
  ++predicted_[guess];
  ++labelled_[static_cast<std::size_t>(label)];
  if (guess == static_cast<std::size_t>(label)) ++hits_[guess];
  ++rows_;
}

double ClassificationTally::mean_cross_entropy() const {
  return rows_ > 0 ? loss_ / static_cast<double>(rows_) : std::numeric_limits<double>::quiet_NaN();
}

double ClassificationTally::accuracy() const {
  std::int64_t hits = 0;
  for (const std::int64_t h : hits_) hits += h;
  return rows_ > 0 ? static_cast<double>(hits) / static_cast<double>(rows_) : std::numeric_limits<double>::quiet_NaN();
}

double ClassificationTally::macro_f1() const {
  double sum = 0;
  int classes = 0;
  for (std::size_t k = 0; k < hits_.size(); ++k) {
    const std::int64_t both = labelled_[k] + predicted_[k];
    if (both == 0) continue;
    sum += 2.0 * static_cast<double>(hits_[k]) / static_cast<double>(both);
    ++classes;
  }
  return classes > 0 ? sum / classes : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace genexx

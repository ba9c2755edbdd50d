// SPDX-License-Identifier: Apache-2.0
#include "models/classification_tally.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace genexx {

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

ClassificationTally::ClassificationTally(std::int64_t classes) : confusion_(classes) {}

void ClassificationTally::add(const double* logits, std::int32_t label) {
  if (label < 0) return;
  const std::int64_t classes = confusion_.classes;
  const double* const top = std::max_element(logits, logits + classes);
  double sum = 0;
  for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(logits[k] - *top);
  loss_ += std::log(sum) + *top - logits[label];
  confusion_.add(label, static_cast<std::int32_t>(top - logits));
  ++rows_;
}

double ClassificationTally::mean_cross_entropy() const {
  return rows_ > 0 ? loss_ / static_cast<double>(rows_) : kNothing;
}

double ClassificationTally::accuracy() const { return classification_metrics(confusion_).accuracy.value_or(kNothing); }

double ClassificationTally::macro_f1() const { return classification_metrics(confusion_).macro_f1.value_or(kNothing); }

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Running judgement of logits against labels during training; the metrics of a finished model are in metrics.h.
#pragma once

#include <cstdint>

#include "models/metrics.h"

namespace genexx {

class ClassificationTally {
 public:
  explicit ClassificationTally(std::int64_t classes);

  // `logits` [classes]; a label of -1 is left out.
  void add(const double* logits, std::int32_t label);

  // All NaN when nothing was added.
  double mean_cross_entropy() const;
  double accuracy() const;
  double macro_f1() const;  // as in metrics.h

 private:
  Confusion confusion_;
  double loss_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// What an epoch's judgement costs by a rule that keeps the best weights: lower is better.
#pragma once

#include <cstddef>

#include "models/trainer.h"

namespace genexx {

// The cost of the epoch by the rule; NaN where it was not judged by that.
double cost_of(const KeepRule& rule, const EpochRecord& epoch);

// Whether the validation cells say it.
bool judges_validation(Criterion criterion);

// One standard error of the cost on `cells` validation cells; 0 for what is no classification.
double standard_error(const KeepRule& rule, const Judgement& validation, std::size_t cells);

}  // namespace genexx

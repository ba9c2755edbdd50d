// SPDX-License-Identifier: Apache-2.0
// One random search, from data to files.
#pragma once

#include <cstdint>
#include <optional>

#include "tools/train_options.h"
#include "tools/verbs.h"

namespace genexx::tools {

struct TuneOptions {
  TrainOptions train;
  std::optional<std::int64_t> trials, epochs, halving, only_trial;
  bool refit = true;
};

// Searches, then trains a model by the best trial's hyperparameters. Throws UsageError for settings that cannot be.
void tune_model(const TuneOptions& options, Program& program);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// genexx train --model dgex.
#pragma once

#include "tools/train_options.h"
#include "tools/verbs.h"

namespace genexx::tools {

// Reads, trains, judges against a baseline and writes the training directory. Throws UsageError for options that do not
// go together.
void train_dgex(const TrainOptions& options, Program& program);

}  // namespace genexx::tools

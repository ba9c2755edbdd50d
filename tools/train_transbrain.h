// SPDX-License-Identifier: Apache-2.0
// genexx train --model transbrain.
#pragma once

#include "tools/train_options.h"

namespace genexx::tools {

// The whole job: reads the profiles of the training file and the regions of both species, trains the repeats as one
// run, embeds the regions and compares them.
void train_transbrain(const TrainOptions& options, Program& program);

}  // namespace genexx::tools

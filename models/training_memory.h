// SPDX-License-Identifier: Apache-2.0
// How much memory a training will take, before it takes it.
#pragma once

#include <cstdint>
#include <vector>

#include "models/trainer.h"

namespace genexx {

// Bytes that a Trainer will hold beside the data set, and those of the copy that becomes a checkpoint.
std::int64_t estimate_trainer_bytes(const Network& network, const std::vector<ReplicaTask>& tasks,
                                    const TrainerConfig& config);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// How a classifier of fully connected layers is trained.
#pragma once

#include <vector>

#include "models/mlp/config.h"
#include "models/prepared_cells.h"
#include "models/trainer.h"

namespace genexx::mlp {

// One phase: cross-entropy by the configured optimizer. `config` is resolved.
TrainerConfig make_trainer_config(const Network& network, const Config& config);

// The replicas of the splits, replica k with the seed `seed` + k.
std::vector<ReplicaTask> make_tasks(const PreparedCells& prepared, std::int64_t replicas, std::int64_t seed,
                                    const Config& config);

}  // namespace genexx::mlp

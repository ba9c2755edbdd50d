// SPDX-License-Identifier: Apache-2.0
// The two phases of scAnnoNet as a configuration of the trainer.
#pragma once

#include <cstdint>
#include <vector>

#include "models/network.h"
#include "models/scannonet/config.h"
#include "models/scannonet/preparation.h"
#include "models/trainer.h"

namespace genexx::scannonet {

// Replica k trains on split min(k, splits - 1) with seed + k.
std::vector<ReplicaTask> make_tasks(const Prepared& prepared, std::int64_t replicas, std::int64_t seed,
                                    const Config& config);

// Pre-training of the gate on the discriminative loss alone, then everything on the total loss.
TrainerConfig make_trainer_config(const Network& network, const std::vector<ReplicaTask>& tasks, const Config& config);

// Whether to train once more with the validation cells: as configured, or where each replica has fewer than 100 of
// them, which tell epochs apart by no less than 3 % (a standard error at 90 % accuracy).
bool retrains(const std::vector<ReplicaTask>& tasks, const Config& config);

// Rows of a step: as configured, or the power of two above an eighth of the cells, 32 to 256.
std::int64_t batch_size(const Config& config, std::int64_t training_cells);

}  // namespace genexx::scannonet

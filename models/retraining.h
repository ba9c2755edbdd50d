// SPDX-License-Identifier: Apache-2.0
// Training once more with the validation cells among the training cells, once they have chosen the number of epochs:
// Goodfellow, Bengio and Courville, "Deep Learning", 2016, algorithm 7.2. Where cells are few, each counts more as an
// example than as a judge.
#pragma once

#include <vector>

#include "models/trainer.h"

namespace genexx {

// The replicas of `tasks` with their validation cells to train on and none to validate on, each for as many epochs of
// the last phase as its `history` chose: the last one that its first rule kept, or, without a rule, all it did. Draws
// classes equally where `tasks` do.
std::vector<ReplicaTask> retraining_tasks(const TrainingSet& set, const std::vector<ReplicaTask>& tasks,
                                          const std::vector<EpochRecord>& history, const PhaseConfig& last_phase);

// `config` with phases named after what they train on.
TrainerConfig retraining_config(TrainerConfig config);

}  // namespace genexx

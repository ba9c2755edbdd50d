// SPDX-License-Identifier: Apache-2.0
// What came of training a classifier: models of its weights, and how good they are on every part of the data.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "models/metrics.h"
#include "models/model.h"
#include "models/prepared_cells.h"
#include "models/trainer.h"
#include "models/training_set.h"

namespace genexx {

// The model of replicas [first, first + count) of `weights`, which share the preparation `preparation`.
Model make_model(const std::string& system, const Network& network, const PreparedCells& prepared,
                 const std::vector<NamedTensor>& weights, std::int64_t first, std::int64_t count,
                 std::size_t preparation);

struct Judged {
  std::vector<ClassificationMetrics> train, validation, test;  // of each replica
  std::vector<std::int64_t> test_cells;                        // ascending; with folds all cells that were held out
  std::vector<float> probability;  // [test_cells, classes], mean over the replicas that saw none of them
  // [split][class][gene] mean over the class's test cells, first replica of the split; NaN where the class has none or
  // the split did not select the gene; empty where the network has no gate.
  std::vector<std::vector<std::vector<double>>> gate;
  std::vector<float> validation_probability;  // [validation cells of split 0, classes], mean over replicas
};

// Applies every replica to the parts of its split.
Judged judge(Context& ctx, const Network& network, const PreparedCells& prepared, const std::vector<ReplicaTask>& tasks,
             const std::vector<NamedTensor>& weights);

// The class of the largest probability of each row, the first of equal ones. `probability` [rows, classes].
std::vector<std::int32_t> most_probable(const std::vector<float>& probability, std::int64_t classes);

// Bytes of memory that a run will take beside what is held once it is prepared: the replicas and a copy of their state
// for the checkpoint, or what judging them takes on `threads` threads, whichever is more.
std::int64_t estimate_training_bytes(const Network& network, const PreparedCells& prepared,
                                     const std::vector<ReplicaTask>& tasks, const TrainerConfig& config,
                                     std::int64_t threads);

}  // namespace genexx

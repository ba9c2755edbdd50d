// SPDX-License-Identifier: Apache-2.0
// One training of a classifier inside the program: planned, then run with its log, its progress and its checkpoints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/context.h"
#include "models/network.h"
#include "models/scannonet/preparation.h"
#include "models/trainer.h"
#include "tools/console.h"
#include "tools/run_directory.h"
#include "tools/train_options.h"

namespace genexx::tools {

// All that is known before the trainer takes memory.
struct TrainingPlan {
  std::string system;  // "scannonet", ...
  PreparedCells prepared;
  std::vector<scannonet::Selection> selections;  // scAnnoNet's stage 1, of each split
  Network network;
  std::vector<ReplicaTask> tasks;
  TrainerConfig trainer;
};

// Selects, splits and lays out `replicas` replicas (with folds: one a fold).
TrainingPlan plan_training(Context& ctx, const CellInput& input, const SystemConfig& config,
                           const PreparationOptions& options, std::int64_t replicas);

// Where a training writes and what it calls itself.
struct TrainingRecords {
  RunDirectory& out;
  Console& console;
  std::string checkpoint;   // name of its checkpoint
  nlohmann::json identity;  // what tells it from others; a checkpoint of another identity is refused
  enum class Start { fresh, resume } start = Start::fresh;
};

struct TrainedReplicas {
  std::vector<NamedTensor> weights;
  std::vector<EpochRecord> history;
};

// Trains to the end. Throws StoppedError when asked to stop and there is a checkpoint to go on from, RuntimeError when
// there is none.
TrainedReplicas run_training(Context& ctx, const TrainingPlan& plan, const TrainingRecords& records);

}  // namespace genexx::tools

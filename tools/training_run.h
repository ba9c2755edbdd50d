// SPDX-License-Identifier: Apache-2.0
// One training inside the program: planned, then run with its log, its progress and its checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
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

// All that is known of a classifier's training before the trainer takes memory.
struct TrainingPlan {
  std::string system;  // "scannonet", ...
  PreparedCells prepared;
  std::vector<scannonet::Selection> selections;  // scAnnoNet's stage 1, of each split
  Network network;
  std::vector<ReplicaTask> tasks;
  TrainerConfig trainer;
  bool retrain = false;  // once more with the validation cells: models/retraining.h
};

// Selects, splits and lays out `replicas` replicas (with folds: one a fold).
TrainingPlan plan_training(Context& ctx, const CellInput& input, const SystemConfig& config,
                           const PreparationOptions& options, std::int64_t replicas);

// Lays out the prepared cells of a plan for another configuration of the same system, which differs in network.* and
// train.* alone and leaves nothing open.
void lay_out(TrainingPlan& plan, const mlp::Config& config, std::int64_t replicas, std::uint64_t seed);

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
  std::vector<PhaseConfig> phases;          // that the history tells of
  std::vector<NamedTensor> validated = {};  // the weights that validation chose, where `weights` were trained after
};

// Those of the tasks that a rank trains at most.
std::vector<ReplicaTask> largest_share(const std::vector<ReplicaTask>& tasks, const Communicator& ranks);

// What a run says about itself: its identity without the configuration, and command, data, date and versions.
nlohmann::json describe_run(const nlohmann::json& identity, const std::string& data, const std::string& command);

// What a trainer takes, of any system.
struct TrainerInput {
  const Network& network;
  const TrainingSet& set;
  const std::vector<ReplicaTask>& tasks;
  const TrainerConfig& config;
  static constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();
  std::function<std::vector<double>(const std::vector<NamedTensor>&)> judge = {};  // TrainerHooks::judge
  std::int64_t pause_after = kToTheEnd;  // epochs of the last phase: Trainer::run_to
};

// Trains to the end or the pause; `begin` sees the trainer before that (resumed, if it is), `end` after. Throws as
// run_training.
void run_trainer(Context& ctx, const TrainerInput& input, const TrainingRecords& records,
                 const std::function<void(const Trainer&)>& begin, const std::function<void(const Trainer&)>& end);

// Trains to the end, twice where the plan says so. Throws StoppedError when asked to stop and there is a checkpoint to
// go on from, RuntimeError when there is none.
TrainedReplicas run_training(Context& ctx, const TrainingPlan& plan, const TrainingRecords& records);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
#include "models/retraining.h"

#include <algorithm>

#include "models/prepared_cells.h"

namespace genexx {
namespace {

std::int64_t chosen_epoch(const std::vector<EpochRecord>& history, const PhaseConfig& phase, std::int64_t replica) {
  std::int64_t last = 0, best = 0;
  for (const EpochRecord& r : history) {
    if (r.phase != phase.name || r.replica != replica) continue;
    last = r.epoch;
    if (r.best) best = r.epoch;
  }
  return best > 0 && phase.ends_with != PhaseConfig::kLast ? best : last;
}

}  // namespace

std::vector<ReplicaTask> retraining_tasks(const TrainingSet& set, const std::vector<ReplicaTask>& tasks,
                                          const std::vector<EpochRecord>& history, const PhaseConfig& last_phase) {
  std::vector<ReplicaTask> again = tasks;
  for (std::size_t r = 0; r < again.size(); ++r) {
    ReplicaTask& task = again[r];
    task.train.insert(task.train.end(), task.validation.begin(), task.validation.end());
    std::sort(task.train.begin(), task.train.end());
    task.validation.clear();
    task.last_phase_epochs = chosen_epoch(history, last_phase, static_cast<std::int64_t>(r));
  }
  if (!tasks.front().cell_weights.empty()) balance_classes(set, again);
  if (!tasks.front().class_weights.empty()) weigh_classes(set, again);
  return again;
}

TrainerConfig retraining_config(TrainerConfig config) {
  for (PhaseConfig& phase : config.phases) phase.name += ", all cells";
  return config;
}

}  // namespace genexx

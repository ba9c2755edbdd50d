// SPDX-License-Identifier: Apache-2.0
#include "models/training_memory.h"

#include <algorithm>

namespace genexx {
namespace {

constexpr std::int64_t kScratch = 2'000'000;  // bytes of temporaries of a replica, measured

// Copies of all weights that a phase keeps beside them: the optimizer's moments, each rule's weights and those of
// replicas that stop early.
std::int64_t copies(const PhaseConfig& phase) {
  const std::int64_t moments = phase.optimizer.kind == OptimizerConfig::Kind::sgd ? 1 : 2;
  return moments + static_cast<std::int64_t>(phase.keep.size()) + (phase.patience > 0 ? 1 : 0);
}

}  // namespace

std::int64_t estimate_trainer_bytes(const Network& network, const std::vector<ReplicaTask>& tasks,
                                    const TrainerConfig& config) {
  std::int64_t widths = 0, cells = 0, kept = 0;
  for (const NodeSpec& node : network.nodes()) widths += (node.kind == NodeKind::gate ? 2 : 1) * node.width;
  for (const ReplicaTask& task : tasks) cells = std::max(cells, static_cast<std::int64_t>(task.train.size()));
  for (const PhaseConfig& phase : config.phases) kept = std::max(kept, copies(phase));
  const auto replicas = static_cast<std::int64_t>(tasks.size());
  const std::int64_t weights = 4 * replicas * network.parameter_count();
  // Weights, gradients and what is kept; values and gradients of every node; cells with alias table.
  const std::int64_t training = (2 + kept) * weights + replicas * (8 * config.batch * widths + 16 * cells + kScratch);
  const std::int64_t state = (1 + kept) * weights;  // and its largest tensor on the way to the file
  return training + state;
}

}  // namespace genexx

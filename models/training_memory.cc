// SPDX-License-Identifier: Apache-2.0
#include "models/training_memory.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "engine/error.h"

namespace genexx {
namespace {

constexpr std::int64_t kScratch = 2'000'000;                // bytes of temporaries of a replica, measured
constexpr std::int64_t kProducts = std::int64_t{32} << 20;  // of the library of matrix products, for each context

// Bytes of the optimizer's moments of one weight of type `dtype`.
std::int64_t moment_bytes(const PhaseConfig& phase, DType dtype) {
  const DType stored = phase.optimizer.moments == DType::bf16 ? DType::bf16 : dtype;
  return (phase.optimizer.kind == OptimizerConfig::Kind::sgd ? 1 : 2) * size_of(stored);
}

// Copies of all weights that a phase keeps beside them: each rule's and those of replicas that stop early.
std::int64_t weights_kept(const PhaseConfig& phase) {
  return static_cast<std::int64_t>(phase.keep.size()) + (phase.patience > 0 ? 1 : 0);
}

// Of all nodes; a gate has two outputs.
std::int64_t all_widths(const Network& network) {
  std::int64_t widths = 0;
  for (const NodeSpec& node : network.nodes()) widths += (node.kind == NodeKind::gate ? 2 : 1) * node.width;
  return widths;
}

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace

std::int64_t estimate_trainer_bytes(const Network& network, const std::vector<ReplicaTask>& tasks,
                                    const TrainerConfig& config) {
  const std::int64_t widths = all_widths(network);
  std::int64_t cells = 0, kept = 0;
  for (const ReplicaTask& task : tasks) cells = std::max(cells, static_cast<std::int64_t>(task.train.size()));
  for (const PhaseConfig& phase : config.phases)
    kept = std::max(kept, moment_bytes(phase, DType::f32) + 4 * weights_kept(phase));
  const auto replicas = static_cast<std::int64_t>(tasks.size());
  const std::int64_t weights = replicas * network.parameter_count();
  // Weights, gradients and what is kept; values and gradients of every node; cells with alias table.
  const std::int64_t training = (8 + kept) * weights + replicas * (8 * config.batch * widths + 16 * cells + kScratch);
  const std::int64_t state = (4 + kept) * weights;  // and its largest tensor on the way to the file
  return training + state;
}

std::vector<MemoryNeed> device_memory_needs(const Network& network, const TrainingSet& set,
                                            const std::vector<ReplicaTask>& tasks, const TrainerConfig& config) {
  const auto replicas = static_cast<std::int64_t>(tasks.size());
  const std::int64_t element = size_of(config.dtype), count = replicas * network.parameter_count();
  const std::int64_t weights = element * count;
  std::int64_t train = 0, judged = 0, state = 0, kept = 0;
  for (const ReplicaTask& task : tasks) {
    train = std::max(train, static_cast<std::int64_t>(task.train.size()));
    judged = std::max(judged, static_cast<std::int64_t>(task.validation.size()));
  }
  for (const Monitor& monitor : set.monitors) judged += static_cast<std::int64_t>(monitor.cells.size());
  for (const PhaseConfig& phase : config.phases) {
    state = std::max(state, moment_bytes(phase, config.dtype));
    kept = std::max(kept, weights_kept(phase));
  }
  const std::size_t cells =
      set.dense.empty() ? 8 * set.data.value.size() + 8 * set.data.row_begin.size() : 4 * set.dense.value.size();
  const std::size_t data = cells + 4 * set.targets.value.size() + 4 * set.labels.size();
  std::vector<MemoryNeed> needs = {
      {"data set", static_cast<std::int64_t>(data)},
      {"weights", weights},
      {"gradients of the weights", weights},
      {"optimizer's state", state * count},
      {"weights put aside", kept * weights},
      {"values and gradients of the layers", 2 * element * replicas * config.batch * all_widths(network)},
      {"cells to train on and to judge by", replicas * (16 * train + 12 * judged)},
      {"statistics of the genes", 4 * element * replicas * set.genes()},
      {"work space of products and sums", kProducts + replicas * kScratch}};
  std::stable_sort(needs.begin(), needs.end(),
                   [](const MemoryNeed& a, const MemoryNeed& b) { return a.bytes > b.bytes; });
  return needs;
}

void expect_device_memory(const Context& ctx, const std::vector<MemoryNeed>& needs) {
  const std::optional<DeviceMemory> memory = ctx.memory();
  const std::int64_t all = std::accumulate(needs.begin(), needs.end(), std::int64_t{0},
                                           [](std::int64_t sum, const MemoryNeed& n) { return sum + n.bytes; });
  if (!memory || all <= memory->free_bytes) return;
  std::string message = "training needs about " + megabytes(all) + " of the device's memory, but " +
                        megabytes(memory->free_bytes) + " of " + megabytes(memory->total_bytes) + " are free:";
  for (const MemoryNeed& need : needs) {
    char line[96];
    std::snprintf(line, sizeof line, "\n  %-36s %14s", need.what.c_str(), megabytes(need.bytes).c_str());
    message += line;
  }
  throw DeviceError(message + "\nuse fewer replicas, a smaller batch, a smaller network, or --device cpu");
}

}  // namespace genexx

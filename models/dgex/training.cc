// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/training.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "models/dgex/clustering.h"

namespace genexx::dgex {
namespace {

constexpr std::int64_t kMonitorOrder = -5;  // purpose of the draw of monitored training profiles

std::vector<std::int64_t> cells_of(const Part& part) {
  std::vector<std::int64_t> cells(static_cast<std::size_t>(part.count));
  std::iota(cells.begin(), cells.end(), part.begin);
  return cells;
}

}  // namespace

const Part* find_part(const std::vector<Part>& parts, const std::string& name) {
  for (const Part& part : parts)
    if (part.name == name) return &part;
  return nullptr;
}

Network make_network(std::int64_t landmarks, std::int64_t targets, const Config& config) {
  Network n;
  Node x = n.input("landmarks", landmarks);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    if (layer > 0) x = n.dropout(x, config.dropout);
    x = n.tanh(
        n.linear(fmt::format("hidden.{}", layer), x, config.hidden, Initializer::glorot_uniform, Initializer::zeros));
  }
  n.linear("output", n.dropout(x, config.dropout), targets, Initializer::small_uniform, Initializer::zeros);
  return n;
}

std::vector<Monitor> make_monitors(const std::vector<Part>& parts, const Config& config, std::uint64_t seed) {
  std::vector<Monitor> monitors;
  for (const char* name : {"test", "1000G", "GTEx"})
    if (const Part* part = find_part(parts, name); part && part->count > 0) monitors.push_back({name, cells_of(*part)});
  const Part* train = find_part(parts, "train");
  std::vector<std::int64_t> watched = shuffled_order(seed, kMonitorOrder, train->count);
  watched.resize(static_cast<std::size_t>(std::min(train->count, config.monitor_profiles)));
  for (std::int64_t& cell : watched) cell += train->begin;
  monitors.push_back({"train", std::move(watched)});
  return monitors;
}

std::int64_t monitor_index(const std::vector<Monitor>& monitors, const std::string& name) {
  for (std::size_t i = 0; i < monitors.size(); ++i)
    if (monitors[i].name == name) return static_cast<std::int64_t>(i);
  return -1;
}

std::vector<ReplicaTask> make_tasks(const std::vector<Part>& parts, std::int64_t replicas, std::uint64_t seed) {
  std::vector<ReplicaTask> tasks;
  for (std::int64_t k = 0; k < replicas; ++k) {
    ReplicaTask task;
    task.seed = static_cast<std::int64_t>(seed) + k;
    task.train = cells_of(*find_part(parts, "train"));
    if (const Part* validation = find_part(parts, "validation")) task.validation = cells_of(*validation);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

TrainerConfig make_trainer_config(const Network& network, const std::vector<Monitor>& monitors, const Config& config) {
  LossSpec loss = {.kind = LossKind::regression, .name = "squared_error"};
  loss.node = static_cast<int>(network.nodes().size()) - 1;
  loss.distance = regression_loss::Kind::squared;
  loss.reduction = regression_loss::Reduction::sum_over_targets_mean_over_rows;
  PhaseConfig phase = {
      .name = "train", .epochs = config.epochs, .learning_rate = config.learning_rate, .losses = {loss}};
  phase.optimizer = {
      .kind = OptimizerConfig::Kind::sgd, .moments = moments_called(config.moments), .momentum = config.momentum};
  for (std::int64_t layer = 1; layer < config.layers; ++layer)
    phase.optimizer.rate_scales.push_back({fmt::format("hidden.{}.weight", layer), config.later_rate_scale});
  phase.optimizer.rate_scales.push_back({"output.weight", config.later_rate_scale});
  phase.rate_on_rise = {
      .factor = config.lr_decay, .floor = config.lr_floor, .monitor = monitor_index(monitors, "train")};
  phase.keep = {{.name = "validation", .criterion = Criterion::absolute_error}};
  if (const std::int64_t g = monitor_index(monitors, "1000G"); g >= 0)
    phase.keep.push_back({.name = "1000G", .criterion = Criterion::monitor, .monitor = g});
  phase.ends_with = 0;
  phase.patience = config.patience;
  TrainerConfig trainer;
  trainer.batch = config.batch;
  trainer.phases = {phase};
  return trainer;
}

}  // namespace genexx::dgex

// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/training.h"

#include <algorithm>

#include "models/class_codes.h"
#include "models/scannonet/network.h"

namespace genexx::scannonet {
namespace {

// The published rule: 1 / n_c, but 1 / sqrt(n_c) where the largest class has over 100 times the cells of the smallest.
constexpr std::int64_t kSoftenRatio = 100;

Balance balance_of(const ReplicaTask& task, const TrainingSet& set, const Config& config) {
  if (config.oversampling == "no") return Balance::none;
  std::vector<std::int32_t> labels;
  for (const std::int64_t c : task.train) labels.push_back(set.labels[static_cast<std::size_t>(c)]);
  std::int64_t least = 0, most = 0;
  for (const std::int64_t size : class_sizes(labels, set.classes)) {
    if (size == 0) continue;
    least = least == 0 ? size : std::min(least, size);
    most = std::max(most, size);
  }
  return most > kSoftenRatio * least ? Balance::classes_softened : Balance::classes;
}

}  // namespace

std::vector<ReplicaTask> make_tasks(const Prepared& prepared, std::int64_t replicas, std::int64_t seed,
                                    const Config& config) {
  std::vector<ReplicaTask> tasks;
  for (std::int64_t k = 0; k < replicas; ++k) {
    const std::int64_t split = std::min(k, static_cast<std::int64_t>(prepared.splits.size()) - 1);
    const CellSplit& s = prepared.splits[static_cast<std::size_t>(split)];
    ReplicaTask task;
    task.seed = seed + k;
    task.preparation = split;
    task.train = s.train;
    // The published program takes the test set for validation when it oversamples; its weights are the last ones
    // anyway.
    const bool quirk = config.compat == "reference" && config.oversampling != "no";
    task.validation = quirk ? s.test : s.validation;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::int64_t batch_size(const Config& config, std::int64_t training_cells) {
  if (config.batch > 0) return config.batch;
  std::int64_t batch = 32;
  while (batch < 256 && batch * 8 < training_cells) batch *= 2;
  return batch;
}

TrainerConfig make_trainer_config(const Network& network, const Prepared& prepared,
                                  const std::vector<ReplicaTask>& tasks, const Config& config) {
  const bool reference = config.compat == "reference";
  TrainerConfig out;
  out.batch = batch_size(config, static_cast<std::int64_t>(tasks.front().train.size()));
  out.lr_decay = config.lr_decay;
  out.lr_decay_steps = config.lr_decay_steps;
  out.label_smoothing = config.label_smoothing;
  out.small_batch = reference ? SmallBatch::reference : SmallBatch::guarded;
  for (const ReplicaTask& task : tasks) out.balance.push_back(balance_of(task, prepared.set, config));
  PhaseConfig pretrain;
  pretrain.name = "pretrain";
  pretrain.epochs = config.pretrain_epochs;
  pretrain.learning_rate = config.pretrain_learning_rate;
  pretrain.losses = {discriminative(network, 1.0)};
  pretrain.trainable = {"gate."};
  PhaseConfig train;
  train.name = "train";
  train.epochs = config.epochs;
  train.learning_rate = config.learning_rate;
  train.losses = {classification(network), discriminative(network, config.discriminative_weight),
                  collinearity(network, config.collinearity_weight)};
  train.dropout = reference ? DropoutUse::first_epoch : DropoutUse::always;
  train.keep = config.keep == "best" ? KeepWeights::best_validation : KeepWeights::last;
  train.patience = config.patience;
  out.phases = {pretrain, train};
  return out;
}

std::int64_t estimate_training_bytes(const Network& network, std::int64_t replicas, std::int64_t batch) {
  std::int64_t widths = 0;
  for (const NodeSpec& node : network.nodes()) widths += (node.kind == NodeKind::gate ? 2 : 1) * node.width;
  // Weights, gradients, two moments and the best weights; values and gradients of every node.
  return replicas * 4 * (5 * network.parameter_count() + 2 * batch * widths);
}

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/training.h"

#include "models/scannonet/network.h"

namespace genexx::scannonet {
std::vector<ReplicaTask> make_tasks(const Prepared& prepared, std::int64_t replicas, std::int64_t seed,
                                    const Config& config) {
  std::vector<ReplicaTask> tasks = replicas_of(prepared, replicas, seed);
  if (config.oversampling == "no") return tasks;
  balance_classes(prepared.set, tasks);
  // The published program takes the test set for validation when it oversamples; its weights are the last ones anyway.
  if (config.compat == "reference")
    for (ReplicaTask& task : tasks) task.validation = prepared.splits[static_cast<std::size_t>(task.preparation)].test;
  return tasks;
}

bool retrains(const std::vector<ReplicaTask>& tasks, const Config& config) {
  constexpr std::size_t kFewCells = 100;
  const std::size_t cells = tasks.front().validation.size();
  if (cells == 0 || config.retrain == "no") return false;
  return config.retrain == "yes" || (config.keep == "best" && cells < kFewCells);
}

std::int64_t batch_size(const Config& config, std::int64_t training_cells) {
  if (config.batch > 0) return config.batch;
  std::int64_t batch = 32;
  while (batch < 256 && batch * 8 < training_cells) batch *= 2;
  return batch;
}

TrainerConfig make_trainer_config(const Network& network, const std::vector<ReplicaTask>& tasks, const Config& config) {
  const bool reference = config.compat == "reference";
  TrainerConfig out;
  out.batch = batch_size(config, static_cast<std::int64_t>(tasks.front().train.size()));
  out.lr_decay = config.lr_decay;
  out.lr_decay_steps = config.lr_decay_steps;
  out.label_smoothing = config.label_smoothing;
  out.small_batch = reference ? SmallBatch::reference : SmallBatch::guarded;
  PhaseConfig pretrain;
  pretrain.name = "pretrain";
  pretrain.epochs = config.pretrain_epochs;
  pretrain.learning_rate = config.pretrain_learning_rate;
  pretrain.losses = {discriminative(network, 1.0)};
  pretrain.trainable = {"gate."};
  pretrain.optimizer.moments = moments_called(config.moments);
  PhaseConfig train;
  train.name = "train";
  train.epochs = config.epochs;
  train.learning_rate = config.learning_rate;
  train.losses = {classification(network), discriminative(network, config.discriminative_weight),
                  collinearity(network, config.collinearity_weight)};
  train.optimizer = pretrain.optimizer;
  train.dropout = reference ? DropoutUse::first_epoch : DropoutUse::always;
  train.keep = {{.name = "best validation", .criterion = Criterion::classification, .tie = Tie::within_standard_error}};
  train.ends_with = config.keep == "best" ? 0 : PhaseConfig::kLast;
  train.patience = config.patience;
  out.phases = {pretrain, train};
  return out;
}

}  // namespace genexx::scannonet

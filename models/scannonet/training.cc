// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/training.h"

#include <algorithm>

#include "models/predictor.h"
#include "models/sampler.h"
#include "models/scannonet/network.h"

namespace genexx::scannonet {
namespace {

constexpr std::int64_t kScratch = 2'000'000;  // bytes of temporaries of a replica, measured

std::vector<double> weights_of(const std::vector<std::int64_t>& cells, const TrainingSet& set) {
  std::vector<std::int32_t> labels;
  for (const std::int64_t c : cells) labels.push_back(set.labels[static_cast<std::size_t>(c)]);
  return oversampling_weights(labels);
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
    if (config.oversampling != "no") task.cell_weights = weights_of(task.train, prepared.set);
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
  PhaseConfig train;
  train.name = "train";
  train.epochs = config.epochs;
  train.learning_rate = config.learning_rate;
  train.losses = {classification(network), discriminative(network, config.discriminative_weight),
                  collinearity(network, config.collinearity_weight)};
  train.dropout = reference ? DropoutUse::first_epoch : DropoutUse::always;
  train.keep = {{.name = "best validation", .criterion = Criterion::classification, .tie = Tie::within_standard_error}};
  train.ends_with = config.keep == "best" ? 0 : PhaseConfig::kLast;
  train.patience = config.patience;
  out.phases = {pretrain, train};
  return out;
}

std::int64_t estimate_training_bytes(const Network& network, const Prepared& prepared,
                                     const std::vector<ReplicaTask>& tasks, std::int64_t batch, std::int64_t threads) {
  std::int64_t widths = 0, cells = 0, together = 0;
  for (const NodeSpec& node : network.nodes()) widths += (node.kind == NodeKind::gate ? 2 : 1) * node.width;
  for (const ReplicaTask& task : tasks) {
    cells = std::max(cells, static_cast<std::int64_t>(task.train.size()));
    together += task.preparation == 0 ? 1 : 0;
  }
  const auto replicas = static_cast<std::int64_t>(tasks.size());
  const std::int64_t weights = 4 * replicas * network.parameter_count();
  // Weights, gradients, two moments and the best weights; values and gradients of every node; cells with alias table.
  const std::int64_t training = 5 * weights + replicas * (8 * batch * widths + 16 * cells + kScratch);
  const std::int64_t state = 5 * weights;  // and its largest tensor on the way to the file
  // The rows of the largest part and the probabilities of each of its replicas, copied once to be judged.
  const std::int64_t rows = 8 * prepared.set.data.nnz() / static_cast<std::int64_t>(prepared.splits.size());
  const std::int64_t judging = 2 * weights + threads * Predictor::bytes_per_thread(network, together) + rows +
                               8 * cells * prepared.set.classes * together;
  return std::max(training + state, judging);
}

}  // namespace genexx::scannonet

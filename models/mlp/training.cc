// SPDX-License-Identifier: Apache-2.0
#include "models/mlp/training.h"

#include "models/mlp/network.h"

namespace genexx::mlp {
namespace {

OptimizerConfig::Kind kind_of(const std::string& optimizer) {
  if (optimizer == "sgd") return OptimizerConfig::Kind::sgd;
  return optimizer == "adamw" ? OptimizerConfig::Kind::adamw : OptimizerConfig::Kind::adam;
}

}  // namespace

TrainerConfig make_trainer_config(const Network& network, const Config& config) {
  PhaseConfig phase;
  phase.name = "train";
  phase.epochs = config.epochs;
  phase.learning_rate = config.learning_rate;
  phase.losses = {classification(network)};
  phase.optimizer = {.kind = kind_of(config.optimizer),
                     .moments = moments_called(config.moments),
                     .weight_decay = config.weight_decay,
                     .momentum = config.momentum};
  phase.keep = {{.name = "best validation", .criterion = Criterion::classification, .tie = Tie::within_standard_error}};
  phase.ends_with = config.keep == "best" ? 0 : PhaseConfig::kLast;
  phase.patience = config.patience;
  TrainerConfig out;
  out.batch = config.batch;
  out.phases = {phase};
  out.lr_decay = config.lr_decay;
  out.lr_decay_steps = config.lr_decay_epochs;
  out.lr_decay_unit = DecayUnit::epochs;
  out.label_smoothing = config.label_smoothing;
  return out;
}

std::vector<ReplicaTask> make_tasks(const PreparedCells& prepared, std::int64_t replicas, std::int64_t seed,
                                    const Config& config) {
  std::vector<ReplicaTask> tasks = replicas_of(prepared, replicas, seed);
  if (config.oversampling) balance_classes(prepared.set, tasks);
  if (config.loss == "weighted_cross_entropy") weigh_classes(prepared.set, tasks);
  return tasks;
}

}  // namespace genexx::mlp

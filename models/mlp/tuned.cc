// SPDX-License-Identifier: Apache-2.0
#include "models/mlp/tuned.h"

namespace genexx::mlp {
namespace {

constexpr double kAnyRate = 0.5;  // of the network itself; every trial has its own

}  // namespace

Config tuned(Config config, const tune::Hyperparameters& h) {
  config.widths.assign(static_cast<std::size_t>(h.layers), h.units);
  config.batch = h.batch;
  config.learning_rate = h.learning_rate;
  config.weight_decay = h.weight_decay;
  config.dropout = h.dropout;
  return config;
}

Config of_group(Config config, const tune::Hyperparameters& one_of_them) {
  config = tuned(std::move(config), one_of_them);
  config.dropout = kAnyRate;
  return config;
}

void tell_apart(ReplicaTask& task, const tune::Hyperparameters& h) {
  task.learning_rate = h.learning_rate;
  task.weight_decay = h.weight_decay;
  task.dropout = h.dropout;
}

}  // namespace genexx::mlp

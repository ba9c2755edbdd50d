// SPDX-License-Identifier: Apache-2.0
// Hyperparameters of a random search, in place of the configured ones.
#pragma once

#include <cstdint>

#include "models/mlp/config.h"
#include "models/trainer.h"
#include "models/tune/search_space.h"

namespace genexx::mlp {

// The configuration a model of these hyperparameters is trained by.
Config tuned(Config config, const tune::Hyperparameters& h);

// What a group of trials shares: a network with dropout at every hidden layer, whatever the trials' rates, so that each
// can have its own.
Config of_group(Config config, const tune::Hyperparameters& one_of_them);

// The hyperparameters by which the trials of a group differ.
void tell_apart(ReplicaTask& task, const tune::Hyperparameters& h);

}  // namespace genexx::mlp

// SPDX-License-Identifier: Apache-2.0
// The state of some replicas of a run, taken out of that of all: how a run goes on with fewer.
#pragma once

#include <cstdint>
#include <vector>

#include "models/network.h"
#include "models/trainer.h"

namespace genexx {

// The state that a run of only the replicas `chosen` (ascending) of the same network would have reached. Works for a
// lane a replica (CPU) and for one lane of all (CUDA). Throws InputError for a state that is damaged or has no such
// replica.
Trainer::State state_of_replicas(const Trainer::State& state, const Network& network,
                                 const std::vector<std::int64_t>& chosen);

}  // namespace genexx

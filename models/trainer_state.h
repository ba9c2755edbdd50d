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

// The tensors of one lane of all replicas (CUDA), from those of the replicas of each rank, in order; the opposite of
// state_of_replicas. Parts of ranks without replicas are empty. Throws InputError for parts that do not match.
std::vector<NamedTensor> joined_lane(const std::vector<std::vector<NamedTensor>>& parts, const Network& network);

// The tensors of several ranks' lanes of one replica each (CPU).
std::vector<NamedTensor> in_one_list(std::vector<std::vector<NamedTensor>> parts);

}  // namespace genexx

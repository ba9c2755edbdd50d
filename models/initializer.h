// SPDX-License-Identifier: Apache-2.0
// First weights of a network, drawn on the host from each replica's seed, so that every device starts from the same
// bits.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/named_tensor.h"
#include "models/network.h"

namespace genexx {

// What may differ between replicas of one network.
struct InitialReplica {
  std::int64_t seed = 0;
  // Inputs that count in fan_in of layers fed by the batch: the genes of this replica's own mask. 0: all of them.
  std::int64_t live_inputs = 0;
};

// Weights [r, ...] of every parameter as f32 or f64. The value of an element depends on the replica's seed, the
// parameter's place in the network and the element alone.
std::vector<NamedTensor> initial_weights(const Network& network, const std::vector<InitialReplica>& replicas,
                                         DType dtype);

}  // namespace genexx

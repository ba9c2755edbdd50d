// SPDX-License-Identifier: Apache-2.0
// The network of scAnnoNet (also published as GenexpNet) and its losses.
//   A  = sigmoid(W2 drop(tanh(W1 x + b1)) + b2)      gate, G -> 20 -> G
//   h1 = drop(relu(W3 (x * A) + b3))                 G -> 128
//   z  = drop(relu(W4 h1 + b4))                      128 -> 64
//   y  = W5 z + b5                                   64 -> C
#pragma once

#include <cstdint>

#include "models/loss.h"
#include "models/network.h"

namespace genexx::scannonet {

struct Widths {
  std::int64_t squeeze = 20, hidden = 128, embedding = 64;
};

// Names of parameters: gate.0, gate.1 (the squeeze gate), hidden.0, hidden.1, output. The gate itself is node "gate".
Network make_network(std::int64_t genes, std::int64_t classes, double dropout, const Widths& widths = {});

// Mean squared distance of the gate to the discriminant index.
LossSpec discriminative(const Network& network, double weight);
// Cross-entropy of the output.
LossSpec classification(const Network& network);
// Collinearity of the embedding z, already divided by the batch size.
LossSpec collinearity(const Network& network, double weight);

}  // namespace genexx::scannonet

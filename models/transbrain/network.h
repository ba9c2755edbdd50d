// SPDX-License-Identifier: Apache-2.0
// The TransBrain network: three fully connected layers with ReLU, the third of which is the embedding, then dropout of
// whole rows and a fully connected output. Source: spec, section 2.
#pragma once

#include "models/network.h"

namespace genexx::transbrain {

struct NetworkShape {
  std::int64_t inputs = 0, hidden1 = 500, hidden2 = 500, hidden3 = 500, outputs = 0;
};

// Parameters in the published order: hidden1, hidden2, hidden3, output, each with weight [out, in] and bias, drawn
// uniformly from +-1 / sqrt(in). `dropout` is the share of rows whose embedding is dropped whole in training.
Network make_network(const NetworkShape& shape, double dropout);

// The node whose values are the embedding.
int embedding_node(const Network& network);

}  // namespace genexx::transbrain

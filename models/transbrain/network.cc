// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/network.h"

namespace genexx::transbrain {

Network make_network(const NetworkShape& shape, double dropout) {
  constexpr Initializer kUniform = Initializer::fan_in_uniform;
  Network n;
  const Node genes = n.input("genes", shape.inputs);
  const Node first = n.relu(n.linear("hidden1", genes, shape.hidden1, kUniform, kUniform));
  const Node second = n.relu(n.linear("hidden2", first, shape.hidden2, kUniform, kUniform));
  const Node embedding = n.relu(n.linear("hidden3", second, shape.hidden3, kUniform, kUniform));
  n.linear("output", n.row_dropout(embedding, dropout), shape.outputs, kUniform, kUniform);
  return n;
}

int embedding_node(const Network& network) {
  const NodeSpec& dropped = network.nodes()[static_cast<std::size_t>(network.nodes().back().inputs[0])];
  return dropped.inputs[0];
}

}  // namespace genexx::transbrain

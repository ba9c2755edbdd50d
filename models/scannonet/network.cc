// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/network.h"

namespace genexx::scannonet {

Network make_network(std::int64_t genes, std::int64_t classes, double dropout, const Widths& widths) {
  Network n;
  const Node x = n.input("expression", genes);
  const Node squeezed = n.dropout(n.tanh(n.linear("gate.0", x, widths.squeeze)), dropout);
  const Node gated = n.gate("gate", n.linear("gate.1", squeezed, genes), x);
  const Node hidden = n.dropout(n.relu(n.linear("hidden.0", gated, widths.hidden)), dropout);
  const Node embedding = n.dropout(n.relu(n.linear("hidden.1", hidden, widths.embedding)), dropout);
  n.linear("output", embedding, classes);
  return n;
}

LossSpec discriminative(const Network& network, double weight) {
  return {LossKind::discriminative, "discriminative", network.find("gate"), 1, weight};
}

LossSpec classification(const Network& network) {
  return {LossKind::cross_entropy, "cross_entropy", network.find("output"), 0, 1.0};
}

LossSpec collinearity(const Network& network, double weight) {
  const int output = network.find("output");
  return {LossKind::collinearity, "collinearity", network.nodes()[static_cast<std::size_t>(output)].inputs[0], 0,
          weight};
}

}  // namespace genexx::scannonet

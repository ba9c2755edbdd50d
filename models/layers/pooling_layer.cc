// SPDX-License-Identifier: Apache-2.0
#include "models/layers/pooling_layer.h"

#include "models/layers/sequence.h"

namespace genexx {

void PoolingLayer::forward(Session& s, int node, std::int64_t rows) const {
  const std::vector<NodeSpec>& nodes = s.network().nodes();
  const NodeSpec& spec = nodes[static_cast<std::size_t>(node)];
  const int from = spec.inputs[0];
  pool1d::forward(s.context(), {.x = as_sequence(s.value(from, 0, rows), nodes[static_cast<std::size_t>(from)]),
                                .y = as_sequence(s.value(node, 0, rows), spec),
                                .window = spec.kernel,
                                .kind = kind_});
}

void PoolingLayer::backward(Session& s, int node, std::int64_t rows) const {
  const std::vector<NodeSpec>& nodes = s.network().nodes();
  const NodeSpec& spec = nodes[static_cast<std::size_t>(node)];
  const int from = spec.inputs[0];
  if (!s.wants_gradient(from)) return;
  const NodeSpec& of_input = nodes[static_cast<std::size_t>(from)];
  pool1d::backward(s.context(), {.x = as_sequence(s.value(from, 0, rows), of_input),
                                 .dy = as_sequence(s.gradient(node, 0, rows), spec),
                                 .dx = as_sequence(s.gradient(from, 0, rows), of_input),
                                 .window = spec.kernel,
                                 .kind = kind_,
                                 .mode = s.claim_gradient(from, 0)});
}

}  // namespace genexx

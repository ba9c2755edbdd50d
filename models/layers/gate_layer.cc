// SPDX-License-Identifier: Apache-2.0
#include "models/layers/gate_layer.h"

#include "kernels/gate.h"

namespace genexx {

void GateLayer::forward(Session& s, int node, std::int64_t rows) const {
  const NodeSpec& spec = s.network().nodes()[static_cast<std::size_t>(node)];
  gate::forward(s.context(), {.logits = s.value(spec.inputs[0], 0, rows),
                              .x = s.value(spec.inputs[1], 0, rows),
                              .gate = s.value(node, 1, rows),
                              .y = s.value(node, 0, rows)});
}

void GateLayer::backward(Session& s, int node, std::int64_t rows) const {
  const NodeSpec& spec = s.network().nodes()[static_cast<std::size_t>(node)];
  gate::BackwardArgs args = {.gate = s.value(node, 1, rows), .x = s.value(spec.inputs[1], 0, rows)};
  if (s.has_gradient(node, 0)) args.dy = s.gradient(node, 0, rows);
  if (s.has_gradient(node, 1)) args.dgate = s.gradient(node, 1, rows);
  args.dlogits = s.gradient(spec.inputs[0], 0, rows);
  args.mode = s.claim_gradient(spec.inputs[0], 0);
  if (s.wants_gradient(spec.inputs[1]))
    throw UsageError("gate '" + spec.name +
                     "': its second input must be the batch itself; a gradient to it is not taken");
  gate::backward(s.context(), args);
}

}  // namespace genexx

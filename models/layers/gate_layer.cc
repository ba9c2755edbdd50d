// SPDX-License-Identifier: Apache-2.0
#include "models/layers/gate_layer.h"

#include "kernels/gate.h"

namespace genexx {

void GateLayer::forward(Session& s, int node, std::int64_t rows) const {
  const NodeSpec& spec = s.network().nodes()[static_cast<std::size_t>(node)];
  gate::forward(s.context(), {.logits = s.value(spec.inputs[0], 0, rows),
                              .x = s.value(spec.inputs[1], 0, rows),
                              .gate = s.value(node, 1, rows),
                              .y = s.value(node, 0, rows),
                              .pull = s.mode() == Mode::training ? s.pull(node) : gate::Pull()});
}

void GateLayer::backward(Session& s, int node, std::int64_t rows) const {
  const NodeSpec& spec = s.network().nodes()[static_cast<std::size_t>(node)];
  gate::BackwardArgs args = {.gate = s.value(node, 1, rows), .x = s.value(spec.inputs[1], 0, rows)};
  if (s.has_gradient(node, 0)) args.dy = s.gradient(node, 0, rows);
  args.pull = s.pull(node);
  if (s.has_gradient(node, 1) && !args.pull.index) args.dgate = s.gradient(node, 1, rows);
  args.dlogits = s.gradient(spec.inputs[0], 0, rows);
  args.mode = s.claim_gradient(spec.inputs[0], 0);
  if (args.dy && s.wants_gradient(spec.inputs[1])) {
    args.dx = s.gradient(spec.inputs[1], 0, rows);
    const WriteMode mode = s.claim_gradient(spec.inputs[1], 0);
    if (mode != args.mode) {  // the op has one mode for both: the one that is to be overwritten starts from zero
      const Tensor& fresh = mode == WriteMode::overwrite ? args.dx : args.dlogits;
      s.context().fill_bytes(fresh.data, 0, fresh.shape.elements() * size_of(fresh.dtype));
      args.mode = WriteMode::accumulate;
    }
  }
  gate::backward(s.context(), args);
}

}  // namespace genexx

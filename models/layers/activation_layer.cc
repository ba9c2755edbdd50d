// SPDX-License-Identifier: Apache-2.0
#include "models/layers/activation_layer.h"

namespace genexx {

void ActivationLayer::forward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  activation::forward(s.context(), {.kind = kind_, .x = s.value(from, 0, rows), .y = s.value(node, 0, rows)});
}

void ActivationLayer::backward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  if (!s.wants_gradient(from)) return;
  activation::backward(s.context(), {.kind = kind_,
                                     .y = s.value(node, 0, rows),
                                     .dy = s.gradient(node, 0, rows),
                                     .dx = s.gradient(from, 0, rows),
                                     .mode = s.claim_gradient(from, 0)});
}

}  // namespace genexx

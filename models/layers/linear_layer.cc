// SPDX-License-Identifier: Apache-2.0
#include "models/layers/linear_layer.h"

#include "kernels/linear.h"

namespace genexx {

void LinearLayer::forward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  linear::forward(s.context(), {.x = s.value(from, 0, rows),
                                .weight = s.parameter(s.parameter_index(node, 0)),
                                .bias = s.parameter(s.parameter_index(node, 1)),
                                .y = s.value(node, 0, rows)});
}

void LinearLayer::backward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  const Tensor dy = s.gradient(node, 0, rows);
  if (s.learns())
    linear::backward(s.context(), {.x = s.value(from, 0, rows),
                                   .weight = s.parameter(s.parameter_index(node, 0)),
                                   .dy = dy,
                                   .dweight = s.parameter_gradient(s.parameter_index(node, 0)),
                                   .dbias = s.parameter_gradient(s.parameter_index(node, 1))});
  if (!s.wants_gradient(from)) return;
  linear::backward(s.context(), {.x = s.value(from, 0, rows),
                                 .weight = s.parameter(s.parameter_index(node, 0)),
                                 .dy = dy,
                                 .dx = s.gradient(from, 0, rows),
                                 .mode = s.claim_gradient(from, 0)});
}

}  // namespace genexx

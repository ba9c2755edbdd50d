// SPDX-License-Identifier: Apache-2.0
#include "models/layers/linear_layer.h"

#include "kernels/linear.h"

namespace genexx {
namespace {

int input_of(const Session& s, int node) { return s.network().nodes()[static_cast<std::size_t>(node)].inputs[0]; }

// The rows of the data set that the layer reads, or null where it reads what another node wrote.
const sparse_linear::Input* stored_rows(const Session& s, int node) {
  return input_of(s, node) == 0 ? s.stored_input() : nullptr;
}

}  // namespace

void LinearLayer::forward(Session& s, int node, std::int64_t rows) const {
  const int from = input_of(s, node);
  if (const sparse_linear::Input* stored = stored_rows(s, node))
    return sparse_linear::forward(s.context(), {.x = *stored,
                                                .weight = s.parameter(s.parameter_index(node, 0)),
                                                .bias = s.parameter(s.parameter_index(node, 1)),
                                                .y = s.value(node, 0, rows)});
  linear::forward(s.context(), {.x = s.value(from, 0, rows),
                                .weight = s.parameter(s.parameter_index(node, 0)),
                                .bias = s.parameter(s.parameter_index(node, 1)),
                                .y = s.value(node, 0, rows)});
}

void LinearLayer::backward(Session& s, int node, std::int64_t rows) const {
  const int from = input_of(s, node);
  const Tensor dy = s.gradient(node, 0, rows);
  const auto bias_gradient = [&] {
    return bias_ == BiasGradient::own ? s.parameter_gradient(s.parameter_index(node, 1)) : Tensor{};
  };
  if (const sparse_linear::Input* stored = stored_rows(s, node))
    return sparse_linear::backward(s.context(), {.x = *stored,
                                                 .dy = dy,
                                                 .dweight = s.parameter_gradient(s.parameter_index(node, 0)),
                                                 .dbias = bias_gradient()});
  if (s.learns())
    linear::backward(s.context(), {.x = s.value(from, 0, rows),
                                   .weight = s.parameter(s.parameter_index(node, 0)),
                                   .dy = dy,
                                   .dweight = s.parameter_gradient(s.parameter_index(node, 0)),
                                   .dbias = bias_gradient()});
  if (!s.wants_gradient(from)) return;
  linear::backward(s.context(), {.x = s.value(from, 0, rows),
                                 .weight = s.parameter(s.parameter_index(node, 0)),
                                 .dy = dy,
                                 .dx = s.gradient(from, 0, rows),
                                 .mode = s.claim_gradient(from, 0)});
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/layers/dropout_layer.h"

namespace genexx {
namespace {

// Forward and backward are the same map, with the same mask because key, step and row are the same.
void apply_mask(Session& s, int node, const Tensor& from, const Tensor& to, dropout::Form form, WriteMode mode) {
  dropout::apply(s.context(), {.x = from,
                               .y = to,
                               .seed = s.seed(),
                               .step = s.step(),
                               .rate = s.dropout_rate(node),
                               .stream = static_cast<std::uint32_t>(node),
                               .form = form,
                               .mode = mode});
}

}  // namespace

void DropoutLayer::forward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  apply_mask(s, node, s.value(from, 0, rows), s.value(node, 0, rows), form_, WriteMode::overwrite);
}

void DropoutLayer::backward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  if (!s.wants_gradient(from)) return;
  apply_mask(s, node, s.gradient(node, 0, rows), s.gradient(from, 0, rows), form_, s.claim_gradient(from, 0));
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/layers/units_layer.h"

#include "models/layers/finish.h"

namespace genexx {

void UnitsLayer::forward(Session& s, int node, std::int64_t rows) const {
  const activation_dropout::Finish finish = finish_of(s, chain_);
  if (!finish.activation && !finish.rate) return;  // dropout outside training: the product already lies where it shall
  activation_dropout::forward(s.context(),
                              {.x = s.value(chain_.source, 0, rows), .y = s.value(node, 0, rows), .finish = finish});
}

void UnitsLayer::backward(Session& s, int node, std::int64_t rows) const {
  const Tensor gradient = s.gradient(node, 0, rows);
  activation_dropout::BackwardArgs args;
  args.y = s.value(node, 0, rows);
  args.dy = gradient;
  args.dx = gradient;  // the source's gradient lies in the same memory
  args.dbias = bias_gradient_of(s, chain_);
  args.finish = finish_of(s, chain_);
  activation_dropout::backward(s.context(), args);
}

}  // namespace genexx

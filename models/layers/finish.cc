// SPDX-License-Identifier: Apache-2.0
#include "models/layers/finish.h"

namespace genexx {

activation_dropout::Finish finish_of(const Session& s, const Chain& chain) {
  activation_dropout::Finish finish;
  const auto kind = [&](int node) { return s.network().nodes()[static_cast<std::size_t>(node)].kind; };
  if (chain.activation >= 0) {
    switch (kind(chain.activation)) {
      case NodeKind::tanh:
        finish.activation = activation::Kind::tanh;
        break;
      case NodeKind::sigmoid:
        finish.activation = activation::Kind::sigmoid;
        break;
      default:
        finish.activation = activation::Kind::relu;
    }
  }
  if (chain.dropout < 0 || s.mode() == Mode::inference) return finish;
  finish.seed = s.seed();
  finish.step = s.step();
  finish.rate = s.dropout_rate(chain.dropout);
  finish.stream = static_cast<std::uint32_t>(chain.dropout);
  finish.form = kind(chain.dropout) == NodeKind::row_dropout ? dropout::Form::row : dropout::Form::unit;
  return finish;
}

Tensor bias_gradient_of(const Session& s, const Chain& chain) {
  if (chain.source < 0 || !s.learns()) return {};
  if (s.network().nodes()[static_cast<std::size_t>(chain.source)].kind != NodeKind::linear) return {};
  return s.parameter_gradient(s.parameter_index(chain.source, 1));
}

}  // namespace genexx

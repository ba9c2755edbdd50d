// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// Inverted dropout of single units. In inference the session skips it: the node's value is its input's.
class DropoutLayer final : public Layer {
 public:
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;
};

}  // namespace genexx

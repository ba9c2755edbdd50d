// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/dropout.h"
#include "models/layers/layer.h"

namespace genexx {

// Inverted dropout of single units or of whole rows. In inference the session skips it: the node's value is its
// input's.
class DropoutLayer final : public Layer {
 public:
  explicit DropoutLayer(dropout::Form form) : form_(form) {}
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;

 private:
  dropout::Form form_;
};

}  // namespace genexx

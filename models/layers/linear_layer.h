// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// Who writes the gradient of b: the layer itself, or the one that writes the gradient of y.
enum class BiasGradient { own, behind };

// y = x W^T + b with W [r, out, in], b [r, out].
class LinearLayer final : public Layer {
 public:
  explicit LinearLayer(BiasGradient bias = BiasGradient::own) : bias_(bias) {}
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;

 private:
  BiasGradient bias_;
};

}  // namespace genexx

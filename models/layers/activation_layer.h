// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/activation.h"
#include "models/layers/layer.h"

namespace genexx {

// An elementwise function of one input.
class ActivationLayer final : public Layer {
 public:
  explicit ActivationLayer(activation::Kind kind) : kind_(kind) {}
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;

 private:
  activation::Kind kind_;
};

}  // namespace genexx

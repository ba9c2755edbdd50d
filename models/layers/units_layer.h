// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/fusion.h"
#include "models/layers/layer.h"

namespace genexx {

// What follows the product of a chain without batch norm: activation and dropout, in the memory of the product.
// Backward also gives the bias gradient of a linear source.
class UnitsLayer final : public Layer {
 public:
  explicit UnitsLayer(const Chain& chain) : chain_(chain) {}
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;

 private:
  Chain chain_;
};

}  // namespace genexx

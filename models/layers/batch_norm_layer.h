// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/fusion.h"
#include "models/layers/layer.h"

namespace genexx {

// y = gamma (x - mean) rstd + beta; statistics of the batch in training, running ones in inference; of
// each feature, or of each channel of a sequence. Keeps mean and rstd
// for backward. As the layer of a chain it stands at the chain's last node, applies what ends the chain in the same
// pass, and in backward writes over the gradient it reads and gives the bias gradient of a linear source.
class BatchNormLayer final : public Layer {
 public:
  BatchNormLayer() = default;
  explicit BatchNormLayer(const Chain& chain) : chain_(chain) {}
  std::int64_t memory(const NodeSpec& spec) const override;
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;

 private:
  int norm_of(int node) const { return chain_.norm >= 0 ? chain_.norm : node; }
  Chain chain_;  // of nothing: the layer of one node
};

}  // namespace genexx

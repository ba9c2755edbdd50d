// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// y = gamma (x - mean) rstd + beta; statistics of the batch in training, running ones in inference; of
// each feature, or of each channel of a sequence. Keeps mean and rstd
// for backward.
class BatchNormLayer final : public Layer {
 public:
  std::int64_t memory(const NodeSpec& spec) const override;
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;
};

}  // namespace genexx

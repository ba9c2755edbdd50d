// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// Convolution along a sequence, with W [r, filters, kernel, channels], b [r, filters].
class ConvolutionLayer final : public Layer {
 public:
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;
};

}  // namespace genexx

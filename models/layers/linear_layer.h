// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// y = x W^T + b with W [r, out, in], b [r, out].
class LinearLayer final : public Layer {
 public:
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// The batch itself, written by whoever feeds the session.
class InputLayer final : public Layer {
 public:
  void forward(Session&, int, std::int64_t) const override {}
  void backward(Session&, int, std::int64_t) const override {}
};

}  // namespace genexx

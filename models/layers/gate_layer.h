// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/layers/layer.h"

namespace genexx {

// Output 0: x * sigmoid(logits). Output 1: sigmoid(logits), for losses on the gate itself and for reports.
class GateLayer final : public Layer {
 public:
  std::vector<std::int64_t> plan(const NodeSpec& spec) const override { return {spec.width, spec.width}; }
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;
};

}  // namespace genexx

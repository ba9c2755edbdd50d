// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/pool1d.h"
#include "models/layers/layer.h"

namespace genexx {

// Neighbouring positions of a sequence become one.
class PoolingLayer final : public Layer {
 public:
  explicit PoolingLayer(pool1d::Kind kind) : kind_(kind) {}
  void forward(Session& s, int node, std::int64_t rows) const override;
  void backward(Session& s, int node, std::int64_t rows) const override;

 private:
  pool1d::Kind kind_;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/layers/layer.h"

#include "models/layers/activation_layer.h"
#include "models/layers/batch_norm_layer.h"
#include "models/layers/convolution_layer.h"
#include "models/layers/dropout_layer.h"
#include "models/layers/gate_layer.h"
#include "models/layers/input_layer.h"
#include "models/layers/linear_layer.h"
#include "models/layers/pooling_layer.h"
#include "models/layers/units_layer.h"

namespace genexx {

std::unique_ptr<Layer> make_layer(NodeKind kind, const Chain* chain) {
  switch (kind) {
    case NodeKind::input:
      return std::make_unique<InputLayer>();
    case NodeKind::linear:
      return std::make_unique<LinearLayer>(chain ? BiasGradient::behind : BiasGradient::own);
    case NodeKind::relu:
      return std::make_unique<ActivationLayer>(activation::Kind::relu);
    case NodeKind::tanh:
      return std::make_unique<ActivationLayer>(activation::Kind::tanh);
    case NodeKind::sigmoid:
      return std::make_unique<ActivationLayer>(activation::Kind::sigmoid);
    case NodeKind::dropout:
      return std::make_unique<DropoutLayer>(dropout::Form::unit);
    case NodeKind::row_dropout:
      return std::make_unique<DropoutLayer>(dropout::Form::row);
    case NodeKind::batch_norm:
      return std::make_unique<BatchNormLayer>();
    case NodeKind::gate:
      return std::make_unique<GateLayer>();
    case NodeKind::conv1d:
      return std::make_unique<ConvolutionLayer>();
    case NodeKind::max_pool:
      return std::make_unique<PoolingLayer>(pool1d::Kind::max);
    case NodeKind::average_pool:
      return std::make_unique<PoolingLayer>(pool1d::Kind::average);
  }
  return nullptr;
}

std::unique_ptr<Layer> make_chain_layer(const Chain& chain) {
  if (chain.norm >= 0) return std::make_unique<BatchNormLayer>(chain);
  return std::make_unique<UnitsLayer>(chain);
}

}  // namespace genexx

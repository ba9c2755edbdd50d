// SPDX-License-Identifier: Apache-2.0
#include "models/layers/convolution_layer.h"

#include "kernels/conv1d.h"
#include "models/layers/sequence.h"

namespace genexx {
namespace {

const NodeSpec& spec_of(const Session& s, int node) { return s.network().nodes()[static_cast<std::size_t>(node)]; }

}  // namespace

void ConvolutionLayer::forward(Session& s, int node, std::int64_t rows) const {
  const NodeSpec& spec = spec_of(s, node);
  const int from = spec.inputs[0];
  conv1d::forward(s.context(), {.x = as_sequence(s.value(from, 0, rows), spec_of(s, from)),
                                .weight = s.parameter(s.parameter_index(node, 0)),
                                .bias = s.parameter(s.parameter_index(node, 1)),
                                .y = as_sequence(s.value(node, 0, rows), spec),
                                .placement = {.stride = spec.stride, .padding = spec.padding}});
}

void ConvolutionLayer::backward(Session& s, int node, std::int64_t rows) const {
  const NodeSpec& spec = spec_of(s, node);
  const int from = spec.inputs[0];
  conv1d::BackwardArgs args = {.x = as_sequence(s.value(from, 0, rows), spec_of(s, from)),
                               .weight = s.parameter(s.parameter_index(node, 0)),
                               .dy = as_sequence(s.gradient(node, 0, rows), spec),
                               .placement = {.stride = spec.stride, .padding = spec.padding}};
  if (s.learns()) {
    args.dweight = s.parameter_gradient(s.parameter_index(node, 0));
    args.dbias = s.parameter_gradient(s.parameter_index(node, 1));
    conv1d::backward(s.context(), args);
  }
  if (!s.wants_gradient(from)) return;
  args.dweight = args.dbias = {};
  args.dx = as_sequence(s.gradient(from, 0, rows), spec_of(s, from));
  args.mode = s.claim_gradient(from, 0);
  conv1d::backward(s.context(), args);
}

}  // namespace genexx

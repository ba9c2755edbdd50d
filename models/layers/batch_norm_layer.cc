// SPDX-License-Identifier: Apache-2.0
#include "models/layers/batch_norm_layer.h"

#include "kernels/batch_norm.h"

namespace genexx {
namespace {

batch_norm::Statistics statistics_of(const Session& s) {
  return s.mode() == Mode::training ? batch_norm::Statistics::batch : batch_norm::Statistics::running;
}

// Half `which` of the node's memory: [r, width].
Tensor kept(Session& s, int node, std::int64_t which) {
  const std::int64_t replicas = s.options().replicas, width = s.network().nodes()[static_cast<std::size_t>(node)].width;
  const Tensor whole = s.memory(node);
  return {
      static_cast<char*>(whole.data) + which * replicas * width * size_of(whole.dtype), whole.dtype, {replicas, width}};
}

}  // namespace

void BatchNormLayer::forward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  batch_norm::forward(s.context(), {.x = s.value(from, 0, rows),
                                    .gamma = s.parameter(s.parameter_index(node, 0)),
                                    .beta = s.parameter(s.parameter_index(node, 1)),
                                    .running_mean = s.parameter(s.parameter_index(node, 2)),
                                    .running_var = s.parameter(s.parameter_index(node, 3)),
                                    .y = s.value(node, 0, rows),
                                    .mean = kept(s, node, 0),
                                    .rstd = kept(s, node, 1),
                                    .statistics = statistics_of(s)});
}

void BatchNormLayer::backward(Session& s, int node, std::int64_t rows) const {
  const int from = s.network().nodes()[static_cast<std::size_t>(node)].inputs[0];
  batch_norm::BackwardArgs args = {.x = s.value(from, 0, rows),
                                   .gamma = s.parameter(s.parameter_index(node, 0)),
                                   .mean = kept(s, node, 0),
                                   .rstd = kept(s, node, 1),
                                   .dy = s.gradient(node, 0, rows),
                                   .statistics = statistics_of(s)};
  ScratchFrame frame(s.context());
  const Tensor gamma = s.parameter(s.parameter_index(node, 0));
  const auto unwanted = [&] {
    return Tensor{frame.take_bytes(gamma.shape.elements() * size_of(gamma.dtype)), gamma.dtype, gamma.shape};
  };
  args.dgamma = s.learns() ? s.parameter_gradient(s.parameter_index(node, 0)) : unwanted();
  args.dbeta = s.learns() ? s.parameter_gradient(s.parameter_index(node, 1)) : unwanted();
  if (s.wants_gradient(from)) {
    args.dx = s.gradient(from, 0, rows);
    args.mode = s.claim_gradient(from, 0);
  }
  if (args.mode == WriteMode::accumulate) {  // which holds for all outputs of the op; those of parameters start anew
    for (const Tensor& t : {args.dgamma, args.dbeta})
      s.context().fill_bytes(t.data, 0, t.shape.elements() * size_of(t.dtype));
  }
  batch_norm::backward(s.context(), args);
}

}  // namespace genexx

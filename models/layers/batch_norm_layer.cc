// SPDX-License-Identifier: Apache-2.0
#include "models/layers/batch_norm_layer.h"

#include "kernels/batch_norm.h"
#include "models/layers/finish.h"

namespace genexx {
namespace {

batch_norm::Statistics statistics_of(const Session& s) {
  return s.mode() == Mode::training ? batch_norm::Statistics::batch : batch_norm::Statistics::running;
}

// Columns with statistics of their own.
std::int64_t columns_of(const NodeSpec& spec) { return spec.channels > 0 ? spec.channels : spec.width; }

// Half `which` of the node's memory: [r, columns].
Tensor kept(Session& s, int node, std::int64_t which) {
  const std::int64_t replicas = s.options().replicas;
  const std::int64_t columns = columns_of(s.network().nodes()[static_cast<std::size_t>(node)]);
  const Tensor whole = s.memory(node);
  return {static_cast<char*>(whole.data) + which * replicas * columns * size_of(whole.dtype),
          whole.dtype,
          {replicas, columns}};
}

// Values of a node of this width as [r, rows, columns]: the positions of a sequence are rows.
Tensor in_columns(const Tensor& t, const NodeSpec& spec) {
  const std::int64_t columns = columns_of(spec);
  return {t.data, t.dtype, {t.shape[0], t.shape[1] * (spec.width / columns), columns}};
}

}  // namespace

std::int64_t BatchNormLayer::memory(const NodeSpec& spec) const { return 2 * columns_of(spec); }

void BatchNormLayer::forward(Session& s, int node, std::int64_t rows) const {
  const int norm = norm_of(node);
  const NodeSpec& spec = s.network().nodes()[static_cast<std::size_t>(norm)];
  batch_norm::forward(s.context(), {.x = in_columns(s.value(spec.inputs[0], 0, rows), spec),
                                    .gamma = s.parameter(s.parameter_index(norm, 0)),
                                    .beta = s.parameter(s.parameter_index(norm, 1)),
                                    .running_mean = s.parameter(s.parameter_index(norm, 2)),
                                    .running_var = s.parameter(s.parameter_index(norm, 3)),
                                    .y = in_columns(s.value(node, 0, rows), spec),
                                    .mean = kept(s, node, 0),
                                    .rstd = kept(s, node, 1),
                                    .statistics = statistics_of(s),
                                    .finish = finish_of(s, chain_)});
}

void BatchNormLayer::backward(Session& s, int node, std::int64_t rows) const {
  const int norm = norm_of(node);
  const NodeSpec& spec = s.network().nodes()[static_cast<std::size_t>(norm)];
  const int from = spec.inputs[0];
  const Tensor gamma = s.parameter(s.parameter_index(norm, 0));
  batch_norm::BackwardArgs args;
  args.x = in_columns(s.value(from, 0, rows), spec);
  args.gamma = gamma;
  args.mean = kept(s, node, 0);
  args.rstd = kept(s, node, 1);
  args.y = in_columns(s.value(node, 0, rows), spec);
  args.dy = in_columns(s.gradient(node, 0, rows), spec);
  args.statistics = statistics_of(s);
  args.finish = finish_of(s, chain_);
  ScratchFrame frame(s.context());
  const auto unwanted = [&] {
    return Tensor{frame.take_bytes(gamma.shape.elements() * size_of(gamma.dtype)), gamma.dtype, gamma.shape};
  };
  args.dgamma = s.learns() ? s.parameter_gradient(s.parameter_index(norm, 0)) : unwanted();
  args.dbeta = s.learns() ? s.parameter_gradient(s.parameter_index(norm, 1)) : unwanted();
  if (chain_.source >= 0) {
    args.dx = in_columns(s.gradient(node, 0, rows), spec);  // in which the source's gradient lies
    args.dbias = bias_gradient_of(s, chain_);
  } else if (s.wants_gradient(from)) {
    args.dx = in_columns(s.gradient(from, 0, rows), spec);
    args.mode = s.claim_gradient(from, 0);
  }
  if (args.mode == WriteMode::accumulate) {  // which holds for all outputs of the op; those of parameters start anew
    for (const Tensor& t : {args.dgamma, args.dbeta})
      s.context().fill_bytes(t.data, 0, t.shape.elements() * size_of(t.dtype));
  }
  batch_norm::backward(s.context(), args);
}

}  // namespace genexx

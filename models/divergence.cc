// SPDX-License-Identifier: Apache-2.0
#include "models/divergence.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/flat_tensor.h"

namespace genexx {
namespace {

// One replica's part of a tensor [r, ...].
ConstTensor replica_of(const Tensor& t, std::int64_t replica) {
  const std::int64_t each = t.shape.elements() / t.shape[0];
  return {static_cast<const char*>(t.data) + replica * each * size_of(t.dtype), t.dtype, {each}};
}

// "3 values of 640 that are not finite"; nothing where all are.
std::optional<std::string> lost_values(Context& ctx, const ConstTensor& t) {
  const std::vector<double> values = download(ctx, t);
  const auto lost = std::count_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
  if (lost == 0) return std::nullopt;
  return std::to_string(lost) + (lost == 1 ? " value of " : " values of ") + std::to_string(values.size()) +
         (lost == 1 ? " that is not finite" : " that are not finite");
}

}  // namespace

std::optional<std::string> first_lost_weights(const Session& session, std::int64_t replica) {
  const std::vector<ParameterSpec>& parameters = session.network().parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].role != ParameterRole::learned) continue;
    if (const auto lost = lost_values(session.context(), replica_of(session.parameter(i), replica)))
      return "'" + parameters[i].name + "' holds " + *lost;
  }
  return std::nullopt;
}

std::optional<std::string> first_lost_output(const Session& session, std::int64_t replica, std::int64_t rows) {
  const std::vector<NodeSpec>& nodes = session.network().nodes();
  for (int node = 0; node < static_cast<int>(nodes.size()); ++node) {
    if (!session.computed(node)) continue;
    for (int output = 0; output < session.outputs(node); ++output) {
      const Tensor value = session.value(node, output, rows);
      if (!value) continue;  // an input that is taken as stored rows
      const auto lost = lost_values(session.context(), replica_of(value, replica));
      if (lost) return "the output of layer '" + nodes[static_cast<std::size_t>(node)].name + "' holds " + *lost;
    }
  }
  return std::nullopt;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/region_embedder.h"

#include <utility>

#include "engine/error.h"
#include "models/transbrain/network.h"

namespace genexx::transbrain {

RegionEmbedder::RegionEmbedder(Context& ctx, const Network& network, std::int64_t replicas,
                               const RegionTable& expression)
    : session_(ctx, network, {.replicas = replicas, .max_rows = expression.rows(), .use = Mode::inference}),
      regions_(expression.regions),
      node_(embedding_node(network)) {
  if (expression.width != network.input_width())
    throw ShapeError("expression has " + std::to_string(expression.width) + " columns, expected " +
                         std::to_string(network.input_width()),
                     CodeLocation::here());
  const std::vector<float> values(expression.values.begin(), expression.values.end());
  const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(float));
  const Tensor input = session_.input(expression.rows());
  for (std::int64_t r = 0; r < replicas; ++r)
    ctx.copy_to_device(input.as<float>() + r * static_cast<std::int64_t>(values.size()), values.data(), bytes);
}

std::vector<RegionTable> RegionEmbedder::embed(const std::vector<NamedTensor>& weights) {
  const auto rows = static_cast<std::int64_t>(regions_.size());
  session_.set_weights(weights);
  session_.forward(rows, Mode::inference, {node_});
  const Tensor value = session_.value(node_, 0, rows);
  const std::int64_t width = value.shape[2];
  std::vector<float> all(static_cast<std::size_t>(session_.options().replicas * rows * width));
  session_.context().copy_to_host(all.data(), value.as<float>(), static_cast<std::int64_t>(all.size() * sizeof(float)));
  std::vector<RegionTable> tables;
  for (auto at = all.begin(); at != all.end(); at += rows * width)
    tables.push_back({regions_, width, std::vector<double>(at, at + rows * width)});
  return tables;
}

RankJudge::RankJudge(Context& ctx, const Network& network, std::int64_t replicas, const RegionTable& human,
                     const RegionTable& mouse, ResolvedPairs pairs)
    : human_(ctx, network, replicas, human), mouse_(ctx, network, replicas, mouse), pairs_(std::move(pairs)) {}

RankJudge::Embedded RankJudge::embed(const std::vector<NamedTensor>& weights) {
  return {human_.embed(weights), mouse_.embed(weights)};
}

std::vector<double> RankJudge::mean_ranks(const Embedded& embedded) const {
  std::vector<double> ranks;
  for (std::size_t r = 0; r < embedded.human.size(); ++r)
    ranks.push_back(rank_pairs(correlate(embedded.human[r], embedded.mouse[r]), pairs_, {.permutations = 0}).mean_rank);
  return ranks;
}

std::vector<double> RankJudge::mean_ranks(const std::vector<NamedTensor>& weights) {
  return mean_ranks(embed(weights));
}

}  // namespace genexx::transbrain

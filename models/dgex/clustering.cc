// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/clustering.h"

#include <algorithm>

#include "engine/sampling.h"
#include "models/dgex/mini_batch_k_means.h"

namespace genexx::dgex {
namespace {

constexpr std::int64_t kSeedingBatches = 3;

std::vector<double> seed_centres(const RowStore<float>& rows, const ClusteringRequest& q, ThreadPool& pool) {
  const std::int64_t count = std::min(rows.rows(), std::max(q.clusters, kSeedingBatches * q.batch));
  const std::vector<std::int64_t> order = shuffled_order(q.seed, kSeedingOrder, rows.rows());
  std::vector<float> sample(static_cast<std::size_t>(count * rows.cols()));
  rows.gather(order.data(), count, sample.data());
  return first_centres({.rows = sample.data(),
                        .count = count,
                        .cols = rows.cols(),
                        .clusters = std::min(q.clusters, count),
                        .seed = q.seed},
                       pool);
}

}  // namespace

std::vector<std::int64_t> shuffled_order(std::uint64_t seed, std::int64_t purpose, std::int64_t count) {
  const EpochShuffle shuffle = epoch_shuffle(seed, purpose, count);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = shuffled_index(shuffle, i);
  return order;
}

std::vector<std::int32_t> cluster_profiles(Context& ctx, ThreadPool& pool, const RowStore<float>& rows,
                                           const ClusteringRequest& q) {
  const std::int64_t batches = (rows.rows() + q.batch - 1) / q.batch, total = batches * (q.passes + 1);
  std::int64_t done = 0;
  const auto tell = [&] {
    if (q.progress) q.progress(++done, total);
  };
  MiniBatchKMeans means(ctx, seed_centres(rows, q, pool), rows.cols());
  std::vector<float> block(static_cast<std::size_t>(std::min(q.batch, rows.rows()) * rows.cols()));
  for (std::int64_t pass = 0; pass < q.passes; ++pass) {
    const std::vector<std::int64_t> order = shuffled_order(q.seed, pass, rows.rows());
    for (std::int64_t first = 0; first < rows.rows(); first += q.batch) {
      const std::int64_t count = std::min(q.batch, rows.rows() - first);
      rows.gather(order.data() + first, count, block.data());
      means.step(block.data(), count, pool);
      tell();
    }
  }
  std::vector<std::int32_t> labels;
  labels.reserve(static_cast<std::size_t>(rows.rows()));
  for (std::int64_t first = 0; first < rows.rows(); first += q.batch) {
    const std::int64_t count = std::min(q.batch, rows.rows() - first);
    rows.read(first, count, block.data());
    const std::vector<std::int32_t> part = means.nearest(block.data(), count, pool);
    labels.insert(labels.end(), part.begin(), part.end());
    tell();
  }
  return labels;
}

}  // namespace genexx::dgex

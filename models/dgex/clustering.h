// SPDX-License-Identifier: Apache-2.0
// The clusters within which near-duplicates are looked for.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/context.h"
#include "engine/thread_pool.h"
#include "models/dgex/row_store.h"

namespace genexx::dgex {

struct ClusteringRequest {
  std::int64_t clusters = 100;  // fewer where there are fewer profiles
  std::int64_t batch = 1000;
  std::int64_t passes = 10;
  std::uint64_t seed = 0;
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // in batches
};

// The cluster of each profile: k-means++ on three batches of profiles, then mini-batch k-means in an order shuffled
// anew by (seed, pass) in each pass, then the nearest centre of every profile. Memory: five batches of rows.
std::vector<std::int32_t> cluster_profiles(Context& ctx, ThreadPool& pool, const RowStore<float>& rows,
                                           const ClusteringRequest& request);

// The numbers 0 .. count - 1 in the order that (seed, purpose) gives; purposes below zero are not those of the passes.
std::vector<std::int64_t> shuffled_order(std::uint64_t seed, std::int64_t purpose, std::int64_t count);
inline constexpr std::int64_t kSampleOrder = -1, kLandmarkOrder = -2, kTargetOrder = -3, kSeedingOrder = -4;

}  // namespace genexx::dgex

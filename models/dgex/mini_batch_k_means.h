// SPDX-License-Identifier: Apache-2.0
// Mini-batch k-means of many profiles. Source: Sculley, "Web-scale k-means clustering", WWW 2010, algorithm 1, with a
// whole batch averaged at once, as scikit-learn's MiniBatchKMeans.partial_fit does it without reassignment.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/thread_pool.h"
#include "models/dgex/pair_products.h"

namespace genexx::dgex {

// The centres while they are fitted.
class MiniBatchKMeans {
 public:
  // `centres` is [k, cols], k = centres.size() / cols.
  MiniBatchKMeans(Context& ctx, std::vector<double> centres, std::int64_t cols);

  // One batch of rows [count, cols]: each row goes to its nearest centre, and a centre c with m new rows becomes
  // (c * n + their sum) / (n + m), n being the rows it had so far. Sums in double, in the order of the rows.
  void step(const float* rows, std::int64_t count, ThreadPool& pool);

  // The nearest centre of each row, the lowest number where several are equally near. Distances in f32 about the mean
  // of the centres.
  std::vector<std::int32_t> nearest(const float* rows, std::int64_t count, ThreadPool& pool);

  const std::vector<double>& centres() const { return centres_; }
  std::int64_t clusters() const { return clusters_; }

 private:
  std::int64_t cols_, clusters_;
  std::vector<double> centres_, counts_;
  PairProducts products_;
};

// First centres by k-means++ (Arthur and Vassilvitskii, SODA 2007): the first is row `first`, each next one a row drawn
// with probability proportional to the squared distance from the nearest centre so far. `rows` is [count, cols] with
// count >= clusters. Returns [clusters, cols]. Where all rows are the same the first is taken again.
struct SeedingRequest {
  const float* rows = nullptr;
  std::int64_t count = 0, cols = 0, clusters = 0;
  std::uint64_t seed = 0;
};
std::vector<double> first_centres(const SeedingRequest& request, ThreadPool& pool);

}  // namespace genexx::dgex

// SPDX-License-Identifier: Apache-2.0
// The host's side of drawing batches: the tables of weighted sampling and the count of steps and rows. The draw itself
// is engine/sampling.h, the same on host and device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace genexx {

// Tables of weighted_index: column c gives c with probability[c], else alias[c].
struct AliasTable {
  std::vector<float> probability;   // [n] in [0, 1]
  std::vector<std::int32_t> alias;  // [n] in [0, n)
};

// The table by which element i comes with probability weights[i] / sum (relative error of a column's share at most
// 2^-24). O(n); source: Vose, IEEE TSE 17(9), 1991. Throws RefusedError unless weights are finite, not negative and not
// all zero, and 1 to 2^31 - 1 in number.
AliasTable alias_table(std::span<const double> weights);

// The weight of each cell in oversampling: 1 / n_c for a cell of class c, or 1 / sqrt(n_c) where the largest class has
// over 100 times the cells of the smallest (scAnnoNet, "Training"). Sizes are counted over `classes` as given, so pass
// the training cells alone. Throws RefusedError for a code below zero.
std::vector<double> oversampling_weights(std::span<const std::int32_t> classes);

// What becomes of the last batch of an epoch where it is short.
enum class ShortBatch { keep, drop };

// Steps of an epoch of `cells` cells in batches of `batch`: the last batch may be short.
constexpr std::int64_t steps_per_epoch(std::int64_t cells, std::int64_t batch) { return (cells + batch - 1) / batch; }

// The same where the short batch may be dropped.
constexpr std::int64_t epoch_steps(std::int64_t cells, std::int64_t batch, ShortBatch last) {
  return last == ShortBatch::drop ? cells / batch : steps_per_epoch(cells, batch);
}

// Rows of the batch of step `step` (0, 1, ... over all epochs) that hold a cell; the rest are -1.
constexpr std::int64_t rows_of_step(std::int64_t step, std::int64_t cells, std::int64_t batch) {
  const std::int64_t begin = step % steps_per_epoch(cells, batch) * batch;
  return cells - begin < batch ? cells - begin : batch;
}

}  // namespace genexx

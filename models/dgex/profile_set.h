// SPDX-License-Identifier: Apache-2.0
// The profiles of one data set as gene values, normalised and standardised without ever being in memory whole.
// Source of all steps: Chen et al., Bioinformatics 2016, and the published scripts.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/thread_pool.h"
#include "models/dgex/row_store.h"

namespace genexx::dgex {

// Which columns of a stored profile make which gene: its value is their mean.
using ColumnsOfGenes = std::vector<std::vector<std::int32_t>>;  // [genes], none empty

// Rows of a store, in an order of their own, as gene values.
struct ProfileSet {
  const RowStore<float>& rows;
  const ColumnsOfGenes& columns;
  const std::vector<std::int64_t>& order;  // rows taken; row order[i] is profile i of the set

  std::int64_t profiles() const { return static_cast<std::int64_t>(order.size()); }
  std::int64_t genes() const { return static_cast<std::int64_t>(columns.size()); }
};

// The value of every gene in one profile of the store, summed in the order of the columns, in double.
void gene_values(const float* row, const ColumnsOfGenes& columns, std::vector<double>& values);

// The reference quantiles, [genes]: quantile q is the mean over the profiles of their q-th smallest value. Fills
// `ranks` [profiles, genes] with the quantile of each value (average_ranks). Sums run over the profiles in order, for
// any number of threads. Memory: 256 profiles.
std::vector<double> rank_reference_set(const ProfileSet& set, RowStore<std::int32_t>& ranks, ThreadPool& pool);

// The same for another set, by its distinct values (unique_ranks).
void rank_other_set(const ProfileSet& set, RowStore<std::int32_t>& ranks, ThreadPool& pool);

// Mean and standard deviation (dividing by n) of each gene over all profiles of its set, after normalisation. Two
// passes.
struct GeneStatistics {
  std::vector<double> mean, deviation;  // [genes]
};
GeneStatistics gene_statistics(const RowStore<std::int32_t>& ranks, const std::vector<double>& quantiles,
                               ThreadPool& pool);

// What is added to the deviation before dividing by it.
inline constexpr double kDeviationFloor = 1e-3;

// A normalised set with what standardises it.
struct RankedSet {
  const RowStore<std::int32_t>& ranks;
  const std::vector<double>& quantiles;
  const GeneStatistics& statistics;

  // (quantile - mean) / (deviation + 1e-3) of profiles [first, first + count): [count, genes].
  std::vector<double> standardised(std::int64_t first, std::int64_t count) const;
};

}  // namespace genexx::dgex

// SPDX-License-Identifier: Apache-2.0
// How alike the regions of two brains are, and how well that finds known homologues: Pearson correlations of embedding
// rows, ranks of listed pairs, and how likely their mean rank is by chance. Source: TransBrain, spec section 6. All
// sums are in double, in index order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/transbrain/region_pairs.h"

namespace genexx::transbrain {

// One row of numbers a region: an embedding, or mean expression.
struct RegionTable {
  std::vector<std::string> regions;
  std::int64_t width = 0;
  std::vector<double> values;  // [regions, width]

  std::int64_t rows() const { return static_cast<std::int64_t>(regions.size()); }
};

// Throws RefusedError naming the region for a name that is there twice and a value that is not finite, ShapeError where
// the parts do not fit, RefusedError for a table without rows or columns. `what` names the table in messages.
void check(const RegionTable& table, const std::string& what);

// Correlations of rows with columns; NaN where one of the two regions is constant.
struct Similarity {
  std::vector<std::string> rows, columns;
  std::vector<double> r;  // [rows, columns]

  double at(std::int64_t row, std::int64_t column) const {
    return r[static_cast<std::size_t>(row) * columns.size() + static_cast<std::size_t>(column)];
  }
};

// Pearson correlation of every row of `a` with every row of `b` over their columns (the units), limited to [-1, 1]. A
// region whose values are all equal has none (NaN). Throws ShapeError when the widths differ. O(rows a * rows b *
// width).
Similarity correlate(const RegionTable& a, const RegionTable& b);

// The element-wise mean of many matrices (no Fisher transform; spec section 6.2), rows and columns brought into the
// order of the first by their names. An element that is undefined in some matrices is the mean of the others.
class SimilarityMean {
 public:
  // Throws RefusedError naming a region that is in one matrix and not in the other.
  void add(const Similarity& one);
  std::int64_t count() const { return count_; }
  // Elements (of all matrices together) that were undefined.
  std::int64_t undefined() const { return undefined_; }
  Similarity mean() const;

 private:
  Similarity sum_;
  std::vector<std::int64_t> defined_;
  std::int64_t count_ = 0, undefined_ = 0;
};

// 1-based rank of value `index` in descending order. Equal values share the mean of their ranks, so that the order of
// the regions does not matter; undefined values (NaN) come last and are equal to one another.
double descending_rank(std::span<const double> values, std::int64_t index);

// Ranks of all human regions (rows) for each mouse region (column): [rows, columns].
std::vector<double> rank_matrix(const Similarity& human_by_mouse);

struct RankedPair {
  RegionPair pair;
  double correlation = 0;  // NaN where undefined
  double rank = 0;         // among all human regions, 1 is best
};

struct Ranking {
  std::vector<RankedPair> pairs;
  double mean_rank = 0;  // each pair counts once
  double median_rank = 0;
  double chance = 0;                  // (human regions + 1) / 2: the mean rank of guessing
  double p_value = 1;                 // of the mean rank; see below
  double null_mean = 0, null_sd = 0;  // of the mean rank under permutation
  std::int64_t permutations = 0;
  std::int64_t top1 = 0, top5 = 0, top10 = 0;  // pairs ranked at most so
};

struct PermutationTest {
  std::int64_t permutations = 10000;  // 0: no test, p is 1
  std::uint64_t seed = 0;
};

// Ranks the pairs and tests their mean rank: the names of the human regions are permuted at random, the pair list
// stays, and p = (1 + permutations with a mean rank as low or lower) / (1 + permutations). One-sided, exact for
// exchangeable regions; regions that lie together are alike, which makes the true p larger. Rank and p are of
// `pairs.index`, whose rows and columns must be those of `human_by_mouse`. Throws UsageError for a negative number of
// permutations.
Ranking rank_pairs(const Similarity& human_by_mouse, const ResolvedPairs& pairs, const PermutationTest& test);

}  // namespace genexx::transbrain

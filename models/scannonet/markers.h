// SPDX-License-Identifier: Apache-2.0
// Marker genes of each cell type.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace genexx::scannonet {

// How a gene's mean in a type is compared with the mean over the other types of their means.
enum class MarkerScore {
  log2_fold_change,  // log2((mean + 1e-6) / (others + 1e-6)), for expression that is not negative
  difference         // mean - others, for scaled expression
};

struct Marker {
  std::int64_t type = 0;  // row of `means`
  std::int64_t gene = 0;  // column of `means`
  double score = 0;
};

struct MarkerRules {
  MarkerScore score = MarkerScore::log2_fold_change;
  double above = 1;        // a marker's score is greater than this
  std::int64_t most = 20;  // for each type
};

// `means` is [types, genes], the mean log-expression of each type. Types in order, each type's markers largest score
// first (ties: lower gene). A gene may be a marker of several types. O(types^2 genes).
std::vector<Marker> find_markers(std::span<const double> means, std::int64_t types, const MarkerRules& rules);

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
// Plain loops over a dense matrix, in long double, group by group.
#pragma once

#include "tests/oracle/gene_stats_oracle.h"

namespace genexx::oracle {

struct GroupMeans {
  std::vector<double> mean;         // [replicas, groups, cols]
  std::vector<std::int64_t> count;  // [replicas, groups]
  std::vector<double> within;       // [replicas, cols]
};

inline GroupMeans group_means(const CellsCase& c, const std::vector<std::int32_t>& group_of_cell, std::int64_t groups) {
  GroupMeans result;
  result.within.assign(c.replicas * c.cols, 0.0);
  for (std::int64_t k = 0; k < c.replicas; ++k)
    for (std::int64_t g = 0; g < groups; ++g) {
      std::vector<std::int64_t> members;
      for (std::int64_t i = 0; i < c.n; ++i)
        if (c.rows[k * c.n + i] >= 0 && group_of_cell[c.rows[k * c.n + i]] == g) members.push_back(c.rows[k * c.n + i]);
      result.count.push_back(static_cast<std::int64_t>(members.size()));
      for (std::int64_t j = 0; j < c.cols; ++j) {
        long double sum = 0, squares = 0;
        for (const std::int64_t cell : members) sum += transformed_value(c, k, cell, j);
        const long double mean = members.empty() ? 0 : sum / members.size();
        for (const std::int64_t cell : members) {
          const long double d = transformed_value(c, k, cell, j) - mean;
          squares += d * d;
        }
        result.mean.push_back(static_cast<double>(mean));
        result.within[k * c.cols + j] += static_cast<double>(squares);
      }
    }
  return result;
}

}  // namespace genexx::oracle

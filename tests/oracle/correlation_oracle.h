// SPDX-License-Identifier: Apache-2.0
// Pearson correlation by its definition, pair by pair, in long double.
#pragma once

#include "tests/oracle/gene_stats_oracle.h"

namespace genexx::oracle {

// Columns `a` against columns `b` of replica k; 0 where one is constant. [|a|, |b|]
inline std::vector<double> correlation(const CellsCase& c, std::int64_t k, const std::vector<std::int64_t>& a,
                                       const std::vector<std::int64_t>& b) {
  const auto column = [&](std::int64_t j) {
    std::vector<long double> x;
    for (std::int64_t i = 0; i < c.n; ++i)
      if (c.rows[k * c.n + i] >= 0) x.push_back(transformed_value(c, k, c.rows[k * c.n + i], j));
    long double mean = 0;
    for (const long double v : x) mean += v / x.size();
    for (long double& v : x) v -= mean;
    return x;
  };
  std::vector<double> out;
  for (const std::int64_t i : a)
    for (const std::int64_t j : b) {
      const std::vector<long double> u = column(i), v = column(j);
      long double uv = 0, uu = 0, vv = 0;
      for (std::size_t s = 0; s < u.size(); ++s) {
        uv += u[s] * v[s];
        uu += u[s] * u[s];
        vv += v[s] * v[s];
      }
      out.push_back(uu > 0 && vv > 0 ? static_cast<double>(uv / std::sqrt(uu * vv)) : 0.0);
    }
  return out;
}

}  // namespace genexx::oracle

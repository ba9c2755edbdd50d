// SPDX-License-Identifier: Apache-2.0
// Plain loops over a dense matrix, in long double, column by column.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/expression_data.h"

namespace genexx::oracle {

// A data set and the cells each replica looks at.
struct CellsCase {
  std::int64_t cells = 0, cols = 0, replicas = 1, n = 0;
  std::vector<double> matrix;      // [cells, cols]
  std::vector<std::int64_t> rows;  // [replicas, n]
  std::vector<double> row_factor;  // [replicas, cells]
  ValueTransform transform = ValueTransform::none;
};

inline long double transformed_value(const CellsCase& c, std::int64_t replica, std::int64_t cell, std::int64_t column) {
  const long double x =
      c.matrix[cell * c.cols + column] * static_cast<long double>(c.row_factor[replica * c.cells + cell]);
  if (c.transform == ValueTransform::log1p) return std::log1p(x);
  if (c.transform == ValueTransform::expm1) return std::expm1(x);
  return x;
}

struct GeneStats {
  std::vector<double> sum, mean, variance, min, max;  // [replicas, cols]
  std::vector<std::int64_t> nnz;
};

inline GeneStats gene_stats(const CellsCase& c, int ddof) {
  GeneStats s;
  for (std::int64_t k = 0; k < c.replicas; ++k)
    for (std::int64_t j = 0; j < c.cols; ++j) {
      std::vector<long double> x;
      for (std::int64_t i = 0; i < c.n; ++i)
        if (c.rows[k * c.n + i] >= 0) x.push_back(transformed_value(c, k, c.rows[k * c.n + i], j));
      long double sum = 0, squares = 0, low = x.empty() ? 0 : x[0], high = low;
      std::int64_t nnz = 0;
      for (const long double v : x) {
        sum += v;
        nnz += v != 0;
        if (v < low) low = v;
        if (v > high) high = v;
      }
      const long double m = static_cast<long double>(x.size()), mean = x.empty() ? 0 : sum / m;
      for (const long double v : x) squares += (v - mean) * (v - mean);
      s.sum.push_back(static_cast<double>(sum));
      s.mean.push_back(static_cast<double>(mean));
      s.variance.push_back(m > ddof ? static_cast<double>(squares / (m - ddof)) : 0.0);
      s.min.push_back(static_cast<double>(low));
      s.max.push_back(static_cast<double>(high));
      s.nnz.push_back(nnz);
    }
  return s;
}

}  // namespace genexx::oracle

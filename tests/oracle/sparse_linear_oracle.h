// SPDX-License-Identifier: Apache-2.0
// The scaled batch of the op as a dense matrix, element by element; the layer itself is linear_oracle.h's.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx::oracle {

// One replica.
struct SparseBatch {
  std::int64_t genes = 0;
  std::vector<double> matrix;         // [cells, genes], 0 where nothing is stored
  std::vector<std::int64_t> rows;     // [n], -1: padding
  std::vector<double> shift, factor;  // [genes], or empty
};

// x [n, genes]
inline std::vector<double> sparse_batch(const SparseBatch& b) {
  std::vector<double> x;
  for (const std::int64_t row : b.rows)
    for (std::int64_t j = 0; j < b.genes; ++j) {
      const auto gene = static_cast<std::size_t>(j);
      const double shift = b.shift.empty() ? 0 : b.shift[gene], factor = b.factor.empty() ? 1 : b.factor[gene];
      const bool absent = row < 0 || factor == 0;
      x.push_back(absent ? 0 : (b.matrix[static_cast<std::size_t>(row * b.genes + j)] - shift) * factor);
    }
  return x;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
// Plain loops over a dense matrix, in double: every output element is looked up on its own.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/ingest.h"

namespace genexx::oracle {

struct IngestCase {
  std::int64_t cells = 0, cols = 0, replicas = 1, n = 0, genes = 0;
  std::vector<double> matrix;                // [cells, cols]
  std::vector<std::int64_t> rows;            // [replicas, n]
  std::vector<std::int32_t> gene_of_column;  // [cols]
  std::vector<double> row_factor;            // [replicas, cells]
  genexx::ingest::Transform transform = genexx::ingest::Transform::none;
  std::vector<double> shift, factor;  // [replicas, genes]
  double clip = 0;
};

// [replicas, n, genes]
inline std::vector<double> ingest(const IngestCase& c) {
  std::vector<double> out;
  for (std::int64_t k = 0; k < c.replicas; ++k)
    for (std::int64_t i = 0; i < c.n; ++i)
      for (std::int64_t j = 0; j < c.genes; ++j) {
        const std::int64_t cell = c.rows[k * c.n + i];
        const double factor = c.factor[k * c.genes + j];
        if (cell < 0 || factor == 0) {
          out.push_back(0);
          continue;
        }
        double x = 0;
        for (std::int64_t column = 0; column < c.cols; ++column)
          if (c.gene_of_column[column] == j) x = c.matrix[cell * c.cols + column] * c.row_factor[k * c.cells + cell];
        if (c.transform == genexx::ingest::Transform::log1p) x = std::log1p(x);
        if (c.transform == genexx::ingest::Transform::expm1) x = std::expm1(x);
        x = (x - c.shift[k * c.genes + j]) * factor;
        if (c.clip > 0 && x > c.clip) x = c.clip;
        if (c.clip > 0 && x < -c.clip) x = -c.clip;
        out.push_back(x);
      }
  return out;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
// A cheap look at every value of a block, for callers who may not have NaN, infinite or negative ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"
#include "io/matrix_source.h"

namespace genexx {

enum class ValueRule {
  finite,       // no NaN, no infinity
  non_negative  // finite and not below zero
};

// What the rows and columns of a block are called.
struct ValueNames {
  std::string matrix;                     // "X (the main matrix; ...)"
  const std::vector<std::string>& cells;  // of the whole data
  const std::vector<std::string>& genes;  // of the block's columns
};

// Throws RefusedError naming value, cell (name and row) and gene (name and column) of the first value in row order that
// breaks the rule. `first_row` is the row of the data that the block begins with. O(nnz), one pass.
void check_values(const CsrMatrix& block, std::int64_t first_row, const ValueNames& names, ValueRule rule);

// The same for a block as `source` gave it.
void check_values(const CsrMatrix& block, std::int64_t first_row, const MatrixSource& source, ValueRule rule);

}  // namespace genexx

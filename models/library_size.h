// SPDX-License-Identifier: Apache-2.0
// Library size: how many counts a cell has, and the factor that brings it to a common number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/csr_matrix.h"
#include "engine/recipe.h"

namespace genexx {

// Sum of each row over the columns with keep != 0 (empty: all), in double. [rows]
std::vector<double> row_totals(const CsrMatrix& matrix, std::span<const std::uint8_t> keep = {});

// The median of the positive ones, the mean of the two middle ones when their number is even; 0 when there is none.
double median_of_positive(std::vector<double> totals);

// What the cells of `matrix` are multiplied by under the recipe of one replica, [rows]: target_sum / total over the
// replica's library genes, 0 for a cell without counts in them; 1 where the recipe has no library-size step.
// `library_gene_of_column` tells which of recipe.library_gene_ids a column is, -1 for none. Where the matrix lacks
// library genes the target is scaled by the share of those it has, so that a gene present in both gets the value of
// training. Throws RefusedError when it has none of them.
std::vector<float> library_factors(const CsrMatrix& matrix, const Recipe& recipe, std::int64_t replica,
                                   std::span<const std::int32_t> library_gene_of_column);

enum class Logarithm { no, yes };

// The matrix of the model's genes: column j of the result is gene j, entry = value * row_factor, ln(1 + it) with
// Logarithm::yes. `gene_of_column` is injective apart from -1 (column not wanted); an empty row_factor is 1. Entries
// that become 0 are dropped. O(nnz log(longest row)).
CsrMatrix normalised(const CsrMatrix& matrix, std::span<const std::int32_t> gene_of_column, std::int64_t genes,
                     std::span<const float> row_factor, Logarithm logarithm);

}  // namespace genexx

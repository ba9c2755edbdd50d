// SPDX-License-Identifier: Apache-2.0
#include "io/value_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx {

void check_values(const CsrMatrix& block, std::int64_t first_row, const ValueNames& names, ValueRule rule) {
  const float lowest = rule == ValueRule::finite ? std::numeric_limits<float>::lowest() : 0.0f;
  constexpr float kHighest = std::numeric_limits<float>::max();
  const auto bad = std::find_if_not(block.value.begin(), block.value.end(),
                                    [&](float value) { return value >= lowest && value <= kHighest; });
  if (bad == block.value.end()) return;
  const std::int64_t place = bad - block.value.begin();
  const auto after = std::upper_bound(block.row_begin.begin(), block.row_begin.end(), place);
  const std::int64_t row = first_row + (after - block.row_begin.begin()) - 1;
  const std::int32_t column = block.column[static_cast<std::size_t>(place)];
  throw RefusedError(fmt::format(
      "{}: the value of cell '{}' (row {}) and gene '{}' (column {}) is {}, expected {}. Remove or repair "
      "these values, or "
      "choose another matrix with --matrix.",
      names.matrix, names.cells[static_cast<std::size_t>(row)], row, names.genes[static_cast<std::size_t>(column)],
      column, *bad, rule == ValueRule::finite ? "a finite number" : "a count (not negative, finite)"));
}

void check_values(const CsrMatrix& block, std::int64_t first_row, const MatrixSource& source, ValueRule rule) {
  check_values(block, first_row, {source.description(), source.cell_names(), source.gene_names()}, rule);
}

}  // namespace genexx

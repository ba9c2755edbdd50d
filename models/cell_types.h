// SPDX-License-Identifier: Apache-2.0
// Which cell types are large enough to take part.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"

namespace genexx {

// Cells of types that have at least `min_cells` of them; cells without a type are left out.
struct KeptCells {
  std::vector<std::int64_t> cells;    // ascending
  std::vector<std::int32_t> types;    // ascending
  std::vector<std::string> warnings;  // what was dropped, a sentence each
};
// `labels` [cells of the matrix] type of each, below 0 for none. `cells` empty: all. `type_names` may be empty too:
// then types are named by number.
KeptCells keep_large_types(std::span<const std::int32_t> labels, std::span<const std::string> type_names,
                           std::span<const std::int64_t> cells, std::int64_t min_cells);

// The classes of a training run.
struct ClassTable {
  std::vector<std::string> names;   // ascending
  std::vector<std::int32_t> codes;  // [cells] index into names, -1 for cells that are left out
  std::vector<std::string> warnings;
};
// From the labels of all cells, "" for none. Cells that are not among `cells` (empty: all are) are left out with one
// warning. Throws RefusedError for fewer than two classes of `min_cells` cells.
ClassTable make_classes(std::span<const std::string> labels, std::int64_t min_cells,
                        std::span<const std::int64_t> cells = {});

// The rows that hold a value at all, ascending: nothing can be learned from the others, nor judged by them.
std::vector<std::int64_t> cells_with_values(const CsrMatrix& matrix);

}  // namespace genexx

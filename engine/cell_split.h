// SPDX-License-Identifier: Apache-2.0
// Which cells (rows of the data) train, validate and test: what a splitter returns and split.json holds.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx {

// Row indices, ascending; no row is in two parts, and a row may be in none.
struct CellSplit {
  std::vector<std::int64_t> train, validation, test;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Cross-validation: as many splits as folds, and every labelled cell tests exactly once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cell_split.h"

namespace genexx {

struct FoldRequest {
  std::span<const std::int32_t> classes;  // [cells] codes; rows below zero are in no part
  std::span<const std::int32_t> groups;   // [cells] donor codes, or empty
  std::int64_t folds = 5;                 // 2 or more
  double validation_fraction = 0;         // of each fold's other cells, taken out of training; may be 0
  std::uint64_t seed = 0;
};

// Stratified by class: the cells of a class differ by at most one between folds where it has enough. With groups no
// group is in two folds (nor in training and validation of one), and class proportions are kept as far as that allows.
// Fold k's validation cells are drawn with the key seed + k. Depends on the arguments alone. Throws UsageError for less
// than two folds or a bad fraction; RefusedError where there are fewer labelled cells or groups than folds (with groups
// and validation: than folds + 1).
std::vector<CellSplit> make_folds(const FoldRequest& request);

}  // namespace genexx

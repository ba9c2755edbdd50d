// SPDX-License-Identifier: Apache-2.0
// Training, validation and test cells of one data set. All splits depend on their arguments and the seed alone. Rows
// whose class is below zero (no label) are in no part.
#pragma once

#include <cstdint>
#include <span>

#include "engine/cell_split.h"

namespace genexx {

struct SplitFractions {
  double train = 0.8, validation = 0.1, test = 0.1;  // not negative, sum 1, train over 0
};

struct SplitRequest {
  std::span<const std::int32_t> classes;  // [cells] codes, as encode_classes gives them
  std::span<const std::int32_t> groups;   // [cells] donor codes, or empty
  SplitFractions fractions;
  std::uint64_t seed = 0;
};

// Every class dealt by the fractions; a class of three or more cells is in all three parts, one of two in train and
// test, a single cell in train. With groups no group is in two parts, and class proportions are kept as far as that
// allows. Throws UsageError for bad fractions; RefusedError where there are fewer groups than parts or a cell has no
// group.
CellSplit stratified_split(const SplitRequest& request);

// The same, over the listed rows only (ascending), for instance to take validation cells out of training cells.
CellSplit stratified_split_of(std::span<const std::int64_t> cells, const SplitRequest& request);

// Any cell to any part, whatever its class, as the published scAnnoNet does (spec of stage 2, intra-dataset). `groups`
// is not used. Sizes are rounded down for validation and test.
CellSplit random_split(const SplitRequest& request);

enum class LastCell { keep, lose };

struct LeadingTestRequest {
  std::span<const std::int32_t> classes;  // [cells]
  std::int64_t test_cells = 0;            // the first rows, those of the test platform
  double validation_fraction = 0;         // of the other rows, taken out of training, stratified; may be 0
  LastCell last_cell = LastCell::keep;    // lose: as the published slice idx:-1 does
  std::uint64_t seed = 0;
};

// Inter-dataset (stage 2 of scAnnoNet): the first cells are the test platform and the rest train. Throws UsageError
// where that leaves no test or no training cell.
CellSplit leading_test_split(const LeadingTestRequest& request);

struct BatchSplitRequest {
  std::span<const std::int32_t> classes;  // [cells]
  std::span<const std::int32_t> batches;  // [cells]
  std::int32_t train_batch = 0, test_batch = 1;
  double validation_fraction = 0;  // of the training batch, taken out of it, stratified; may be 0
  std::uint64_t seed = 0;
};

// Cross-batch (stage 2 of scAnnoNet): one batch trains, another tests; cells of further batches are in no part. Throws
// RefusedError where either has no labelled cell.
CellSplit batch_split(const BatchSplitRequest& request);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// From a matrix and labels to what the trainer takes: small classes dropped, cells split, stage 1 fitted for each
// split, rows normalised and cut to the genes in use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cell_split.h"
#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "engine/recipe.h"
#include "models/scannonet/config.h"
#include "models/scannonet/fitted_recipe.h"
#include "models/scannonet/gene_selection.h"
#include "models/training_set.h"

namespace genexx::scannonet {

struct PreparationInput {
  const CsrMatrix& matrix;                 // cells by genes
  const std::vector<std::string>& genes;   // [genes] names
  const std::vector<std::string>& labels;  // [cells], "" for none
  std::vector<std::int32_t> groups;        // [cells] or empty
  std::vector<std::int32_t> batches;       // [cells] or empty; split.kind batch needs them
  Recipe::InputKind input = Recipe::InputKind::counts;
};

// Whether cells are held out to judge the model; a model to be kept after cross-validation learns from all of them.
enum class TestCells { held_out, none };

struct PreparationOptions {
  std::int64_t folds = 0;  // 0: one split
  std::uint64_t seed = 0;
  TestCells test_cells = TestCells::held_out;  // none: one stratified split without a test part
};

struct Prepared {
  std::vector<std::string> classes;   // names of the outputs, sorted
  std::vector<CellSplit> splits;      // one, or one a fold
  std::vector<Selection> selections;  // of each split; types are indices into `classes`
  FittedRecipe fitted;                // replica k of it belongs to split k; its columns are what the network reads
  TrainingSet set;
  std::vector<std::string> warnings;
};

// Throws RefusedError for fewer than two classes of enough cells, UsageError for a split the data cannot give.
Prepared prepare(Context& ctx, const PreparationInput& input, const Config& config, const PreparationOptions& options);

// Stage 2 alone: the splits of labelled cells. `codes` [cells], below zero for cells left out.
std::vector<CellSplit> make_splits(const PreparationInput& input, const std::vector<std::int32_t>& codes,
                                   const Config& config, const PreparationOptions& options);

SelectionOptions selection_options(const Config& config, Recipe::InputKind input);

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
// Labelled cells made ready for training a classifier: classes, splits, the fitted recipe, normalised rows. How genes
// are chosen and scaled is each system's own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/cell_split.h"
#include "engine/csr_matrix.h"
#include "engine/recipe.h"
#include "models/augmentation.h"
#include "models/fitted_recipe.h"
#include "models/split.h"
#include "models/training_set.h"

namespace genexx {

struct CellInput {
  const CsrMatrix& matrix;                 // cells by genes
  const std::vector<std::string>& genes;   // [genes] names
  const std::vector<std::string>& labels;  // [cells], "" for none
  std::vector<std::int32_t> groups;        // [cells] or empty
  std::vector<std::int32_t> batches;       // [cells] or empty; SplitPlan::Kind::batch needs them
  Recipe::InputKind input = Recipe::InputKind::counts;
  std::span<const std::string> other_names = {};  // [genes] symbols or identifiers to match other files by, or empty
  // [genes] where each gene comes in the order wanted, -1 for last; or empty: as in the matrix. A fully connected layer
  // does not care, a convolution does.
  std::span<const std::int64_t> gene_rank = {};
};

// Whether cells are held out to judge the model; a model to be kept after cross-validation learns from all of them.
enum class TestCells { held_out, none };

struct PreparationOptions {
  std::int64_t folds = 0;  // 0: one split
  std::uint64_t seed = 0;
  TestCells test_cells = TestCells::held_out;  // none: one stratified split without a test part
};

// How cells are dealt to the three parts.
struct SplitPlan {
  enum class Kind { stratified, random, leading, batch };
  Kind kind = Kind::stratified;
  double validation = 0.1, test = 0.1;  // fractions
  std::int64_t leading_test_cells = 0;  // of Kind::leading
  LastCell last_cell = LastCell::keep;  // of Kind::leading
};

// One split, or one a fold. `codes` [cells], below zero for cells left out. Throws UsageError or RefusedError for a
// split the data cannot give.
std::vector<CellSplit> make_splits(const CellInput& input, const std::vector<std::int32_t>& codes,
                                   const SplitPlan& plan, const PreparationOptions& options);

struct PreparedCells {
  std::vector<std::string> classes;  // names of the outputs, sorted
  std::vector<CellSplit> splits;     // one, or one a fold
  FittedRecipe fitted;               // replica k of it belongs to split k; its columns are what the network reads
  TrainingSet set;
  std::vector<std::string> warnings;
  // [splits + 1] or empty: cells synthetic_begin[k] to synthetic_begin[k + 1] of the set are made up for the training
  // of split k. They follow those of the data; no split names them, so nothing is judged on them or written about them.
  std::vector<std::int64_t> synthetic_begin = {};
};

// The class of each cell, -1 for none, and how many classes there are.
struct CellClasses {
  std::vector<std::int32_t> labels;
  std::size_t count = 0;
};

// All cells as every replica of the fitted recipe normalises them, cut to the genes of the network; synthetic ones
// last.
TrainingSet make_training_set(const CsrMatrix& matrix, const FittedRecipe& fitted, CellClasses classes,
                              const SyntheticCells& synthetic = {});

// Replicas of the splits, which learn from synthetic cells too: with one split `replicas` of them, else one a fold.
// Replica k has the seed `seed` + k.
std::vector<ReplicaTask> replicas_of(const PreparedCells& prepared, std::int64_t replicas, std::int64_t seed);

// Draws every replica's classes equally often: see oversampling_weights.
void balance_classes(const TrainingSet& set, std::vector<ReplicaTask>& tasks);

// Weighs every replica's classes by n / (k n_c) in the cross-entropy, n_c of its n training cells being of class c; 0
// for a class without any. scikit-learn calls it "balanced".
void weigh_classes(const TrainingSet& set, std::vector<ReplicaTask>& tasks);

}  // namespace genexx

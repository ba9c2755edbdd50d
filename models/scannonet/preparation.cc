// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/preparation.h"

#include <algorithm>

#include "engine/error.h"
#include "models/folds.h"
#include "models/library_size.h"
#include "models/scannonet/cell_types.h"
#include "models/split.h"

namespace genexx::scannonet {
namespace {

// Position of each column of a matrix in `columns`, -1 where it is not.
std::vector<std::int32_t> positions(const std::vector<std::int64_t>& columns, std::int64_t cols) {
  std::vector<std::int32_t> at(static_cast<std::size_t>(cols), -1);
  for (std::size_t i = 0; i < columns.size(); ++i)
    at[static_cast<std::size_t>(columns[i])] = static_cast<std::int32_t>(i);
  return at;
}

void append(CsrMatrix block, CsrMatrix& all) {
  if (all.rows == 0) {
    all = std::move(block);
    return;
  }
  const std::int64_t before = all.nnz();
  for (std::size_t i = 1; i < block.row_begin.size(); ++i) all.row_begin.push_back(before + block.row_begin[i]);
  all.column.insert(all.column.end(), block.column.begin(), block.column.end());
  all.value.insert(all.value.end(), block.value.begin(), block.value.end());
  all.rows += block.rows;
}

// The statistics of replica `k` as the trainer takes them.
Preparation preparation_of(const FittedRecipe& fitted, std::size_t k) {
  const Recipe& r = fitted.recipe;
  const auto genes = static_cast<std::ptrdiff_t>(fitted.columns.size()), at = static_cast<std::ptrdiff_t>(k) * genes;
  Preparation p;
  p.shift.assign(r.shift.begin() + at, r.shift.begin() + at + genes);
  p.factor.assign(r.factor.begin() + at, r.factor.begin() + at + genes);
  p.index.assign(fitted.index.begin() + at, fitted.index.begin() + at + genes);
  p.mask.assign(r.mask.begin() + at, r.mask.begin() + at + genes);
  p.live_genes = std::count(p.mask.begin(), p.mask.end(), 1.0f);
  return p;
}

// All cells as every fitted selection normalises them, cut to the genes of the network.
TrainingSet training_set(const CsrMatrix& matrix, const FittedRecipe& fitted, std::vector<std::int32_t> labels,
                         std::size_t classes) {
  TrainingSet set;
  set.cells = matrix.rows;
  set.labels = std::move(labels);
  set.classes = static_cast<std::int64_t>(classes);
  const std::vector<std::int32_t> gene = positions(fitted.columns, matrix.cols);
  const std::vector<std::int32_t> library = positions(fitted.library, matrix.cols);
  const Logarithm logarithm = fitted.recipe.log1p ? Logarithm::yes : Logarithm::no;
  for (std::int64_t k = 0; k < fitted.recipe.replicas(); ++k) {
    const std::vector<float> factors = library_factors(matrix, fitted.recipe, k, library);
    append(normalised(matrix, gene, fitted.recipe.genes(), factors, logarithm), set.data);
    set.preparations.push_back(preparation_of(fitted, static_cast<std::size_t>(k)));
  }
  return set;
}

std::vector<std::int64_t> fitting_cells(const CellSplit& split, const Config& config) {
  std::vector<std::int64_t> cells = split.train;
  if (config.fit_on == "all") {
    cells.insert(cells.end(), split.validation.begin(), split.validation.end());
    cells.insert(cells.end(), split.test.begin(), split.test.end());
  }
  std::sort(cells.begin(), cells.end());
  return cells;
}

}  // namespace

std::vector<CellSplit> make_splits(const PreparationInput& input, const std::vector<std::int32_t>& codes,
                                   const Config& config, const PreparationOptions& options) {
  if (options.folds > 0)
    return make_folds({.classes = codes,
                       .groups = input.groups,
                       .folds = options.folds,
                       .validation_fraction = config.validation_fraction,
                       .seed = options.seed});
  if (options.test_cells == TestCells::none)
    return {stratified_split(
        {.classes = codes,
         .groups = input.groups,
         .fractions = {.train = 1.0 - config.validation_fraction, .validation = config.validation_fraction, .test = 0},
         .seed = options.seed})};
  if (config.split == "leading")
    return {leading_test_split({.classes = codes,
                                .test_cells = config.leading_test_cells,
                                .validation_fraction = config.validation_fraction,
                                .last_cell = config.compat == "reference" ? LastCell::lose : LastCell::keep,
                                .seed = options.seed})};
  if (config.split == "batch") {
    if (input.batches.empty())
      throw UsageError("split.kind is batch: say which column holds the batch, with --batch COLUMN");
    return {batch_split({.classes = codes,
                         .batches = input.batches,
                         .validation_fraction = config.validation_fraction,
                         .seed = options.seed})};
  }
  const SplitRequest request = {.classes = codes,
                                .groups = input.groups,
                                .fractions = {.train = 1.0 - config.validation_fraction - config.test_fraction,
                                              .validation = config.validation_fraction,
                                              .test = config.test_fraction},
                                .seed = options.seed};
  return {config.split == "random" ? random_split(request) : stratified_split(request)};
}

SelectionOptions selection_options(const Config& config, Recipe::InputKind input) {
  SelectionOptions o;
  o.input = input;
  o.min_cells_per_type = 2;  // small classes of the whole data were dropped; a fold's part of a class may be smaller
  if (config.min_gene_counts > 0) o.min_gene_total = config.min_gene_counts;
  o.min_cell_total = config.min_cell_counts;
  o.variable_genes = config.variable_genes;
  o.markers_per_type = config.markers_per_class;
  o.min_log2_fold_change = config.min_log2_fold_change;
  o.max_p_value = config.max_p_value;
  return o;
}

Prepared prepare(Context& ctx, const PreparationInput& input, const Config& config, const PreparationOptions& options) {
  Prepared out;
  ClassTable table = make_classes(input.labels, config.min_class_cells);
  out.classes = table.names;
  out.warnings = std::move(table.warnings);
  out.splits = make_splits(input, table.codes, config, options);
  for (std::size_t i = 0; i < out.splits.size(); ++i) {
    const std::vector<std::int64_t> cells = fitting_cells(out.splits[i], config);
    out.selections.push_back(
        select_genes(ctx, {.values = input.matrix, .labels = table.codes, .type_names = out.classes, .cells = cells},
                     selection_options(config, input.input)));
    const Selection& s = out.selections.back();
    // A training cell that stage 1 dropped is not trained on either.
    std::vector<std::int64_t>& train = out.splits[i].train;
    train.erase(std::remove_if(train.begin(), train.end(),
                               [&](std::int64_t c) { return !std::binary_search(s.cells.begin(), s.cells.end(), c); }),
                train.end());
    for (const std::string& warning : s.warnings)
      out.warnings.push_back(out.splits.size() > 1 ? "fold " + std::to_string(i + 1) + ": " + warning : warning);
  }
  out.fitted = fit_recipe(out.selections, {input.genes}, input.input);
  out.set = training_set(input.matrix, out.fitted, std::move(table.codes), out.classes.size());
  return out;
}

}  // namespace genexx::scannonet

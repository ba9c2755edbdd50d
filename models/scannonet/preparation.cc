// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/preparation.h"

#include <algorithm>

#include "models/cell_types.h"

namespace genexx::scannonet {
namespace {

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

SplitPlan split_plan(const Config& config) {
  SplitPlan plan = {.validation = config.validation_fraction,
                    .test = config.test_fraction,
                    .leading_test_cells = config.leading_test_cells,
                    .last_cell = config.compat == "reference" ? LastCell::lose : LastCell::keep};
  if (config.split == "random") plan.kind = SplitPlan::Kind::random;
  if (config.split == "leading") plan.kind = SplitPlan::Kind::leading;
  if (config.split == "batch") plan.kind = SplitPlan::Kind::batch;
  return plan;
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

Prepared prepare(Context& ctx, const CellInput& input, const Config& config, const PreparationOptions& options) {
  Prepared out;
  ClassTable table = make_classes(input.labels, config.min_class_cells, cells_with_values(input.matrix));
  out.classes = table.names;
  out.warnings = std::move(table.warnings);
  out.splits = make_splits(input, table.codes, split_plan(config), options);
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
  out.fitted = fit_recipe(out.selections, {input.genes, input.other_names}, input.input);
  out.set = make_training_set(input.matrix, out.fitted, {std::move(table.codes), out.classes.size()});
  return out;
}

}  // namespace genexx::scannonet

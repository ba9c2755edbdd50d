// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/preparation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "models/class_codes.h"
#include "models/folds.h"
#include "models/split.h"

namespace genexx::scannonet {
namespace {

// Factor that brings each cell to the target of a selection: over the genes it kept, and 0 for cells without counts
// there.
std::vector<double> row_factors(const CsrMatrix& matrix, const Selection& s) {
  if (s.target_sum == 0) return std::vector<double>(static_cast<std::size_t>(matrix.rows), 1.0);
  std::vector<char> kept(static_cast<std::size_t>(matrix.cols), 0);
  for (const std::int64_t g : s.genes) kept[static_cast<std::size_t>(g)] = 1;
  std::vector<double> factors;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    double total = 0;
    for (std::int64_t k = matrix.row_begin[static_cast<std::size_t>(i)];
         k < matrix.row_begin[static_cast<std::size_t>(i + 1)]; ++k)
      if (kept[static_cast<std::size_t>(matrix.column[static_cast<std::size_t>(k)])])
        total += matrix.value[static_cast<std::size_t>(k)];
    factors.push_back(total > 0 ? s.target_sum / total : 0.0);
  }
  return factors;
}

// Appends all cells as selection `s` normalises them, cut to the features of the network.
void append_rows(const CsrMatrix& matrix, const Selection& s, const std::vector<std::int32_t>& feature_of_column,
                 CsrMatrix& out) {
  const std::vector<double> factor = row_factors(matrix, s);
  const bool counts = s.target_sum > 0;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const double f = factor[static_cast<std::size_t>(i)];
    for (std::int64_t k = matrix.row_begin[static_cast<std::size_t>(i)];
         k < matrix.row_begin[static_cast<std::size_t>(i + 1)]; ++k) {
      const std::int32_t feature =
          feature_of_column[static_cast<std::size_t>(matrix.column[static_cast<std::size_t>(k)])];
      if (feature < 0) continue;
      const double value = matrix.value[static_cast<std::size_t>(k)];
      out.column.push_back(feature);
      out.value.push_back(static_cast<float>(counts ? std::log1p(value * f) : value));
    }
    out.row_begin.push_back(static_cast<std::int64_t>(out.column.size()));
  }
  out.rows += matrix.rows;
}

// The statistics of `s` spread over the network's genes.
Preparation spread(const Selection& s, const std::vector<std::int32_t>& feature_of_column, std::size_t genes) {
  Preparation p;
  p.shift.assign(genes, 0);
  p.factor.assign(genes, 0);
  p.index.assign(genes, 0);
  p.mask.assign(genes, 0);
  p.live_genes = static_cast<std::int64_t>(s.features.size());
  for (std::size_t f = 0; f < s.features.size(); ++f) {
    const auto at = static_cast<std::size_t>(feature_of_column[static_cast<std::size_t>(s.features[f])]);
    p.shift[at] = static_cast<float>(s.mean[f]);
    p.factor[at] = static_cast<float>(1.0 / s.deviation[f]);
    p.index[at] = static_cast<float>(s.index[f]);
    p.mask[at] = 1;
  }
  return p;
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

ClassTable make_classes(const std::vector<std::string>& labels, const Config& config,
                        std::vector<std::string>& warnings) {
  const ClassCodes all = encode_classes(labels);
  const std::vector<std::int64_t> sizes = class_sizes(all.codes, static_cast<std::int64_t>(all.names.size()));
  std::vector<std::string> kept = labels;
  std::string dropped;
  std::int64_t count = 0, cells = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    if (sizes[k] >= config.min_class_cells) continue;
    dropped += (count++ ? ", " : "") + all.names[k] + " (" + std::to_string(sizes[k]) + ")";
    cells += sizes[k];
    std::replace(kept.begin(), kept.end(), all.names[k], std::string());
  }
  if (count > 0)
    warnings.push_back(std::to_string(count) + " classes of fewer than " + std::to_string(config.min_class_cells) +
                       " cells were dropped, " + std::to_string(cells) + " cells in all: " + dropped);
  const ClassCodes table = encode_classes(kept);
  if (table.names.size() < 2)
    throw RefusedError("training needs at least two classes of " + std::to_string(config.min_class_cells) +
                       " cells or more, found " + std::to_string(table.names.size()) +
                       (table.names.empty() ? "" : " ('" + table.names[0] + "')") +
                       "; check --label, or lower select.min_class_cells");
  return {table.names, table.codes};
}

std::vector<CellSplit> make_splits(const PreparationInput& input, const std::vector<std::int32_t>& codes,
                                   const Config& config, const PreparationOptions& options) {
  if (options.folds > 0)
    return make_folds({.classes = codes,
                       .groups = input.groups,
                       .folds = options.folds,
                       .validation_fraction = config.validation_fraction,
                       .seed = options.seed});
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
  const ClassTable table = make_classes(input.labels, config, out.warnings);
  out.classes = table.names;
  out.splits = make_splits(input, table.codes, config, options);
  for (std::size_t i = 0; i < out.splits.size(); ++i) {
    const std::vector<std::int64_t> cells = fitting_cells(out.splits[i], config);
    out.selections.push_back(
        select_genes(ctx, {.values = input.matrix, .labels = table.codes, .type_names = out.classes, .cells = cells},
                     selection_options(config, input.input)));
    const Selection& s = out.selections.back();
    out.features.insert(out.features.end(), s.features.begin(), s.features.end());
    // A training cell that stage 1 dropped is not trained on either.
    std::vector<std::int64_t>& train = out.splits[i].train;
    train.erase(std::remove_if(train.begin(), train.end(),
                               [&](std::int64_t c) { return !std::binary_search(s.cells.begin(), s.cells.end(), c); }),
                train.end());
    for (const std::string& warning : s.warnings)
      out.warnings.push_back(out.splits.size() > 1 ? "fold " + std::to_string(i + 1) + ": " + warning : warning);
  }
  std::sort(out.features.begin(), out.features.end());
  out.features.erase(std::unique(out.features.begin(), out.features.end()), out.features.end());

  std::vector<std::int32_t> feature_of_column(static_cast<std::size_t>(input.matrix.cols), -1);
  for (std::size_t f = 0; f < out.features.size(); ++f)
    feature_of_column[static_cast<std::size_t>(out.features[f])] = static_cast<std::int32_t>(f);
  out.set.cells = input.matrix.rows;
  out.set.labels = table.codes;
  out.set.classes = static_cast<std::int64_t>(out.classes.size());
  out.set.data.cols = static_cast<std::int64_t>(out.features.size());
  for (const Selection& s : out.selections) {
    append_rows(input.matrix, s, feature_of_column, out.set.data);
    out.set.preparations.push_back(spread(s, feature_of_column, out.features.size()));
  }
  return out;
}

Recipe make_recipe(const PreparationInput& input, const Prepared& prepared, std::size_t index) {
  const Selection& s = prepared.selections[index];
  const Preparation& p = prepared.set.preparations[index];
  Recipe r;
  r.input = input.input;
  for (const std::int64_t f : prepared.features) r.gene_ids.push_back(input.genes[static_cast<std::size_t>(f)]);
  if (s.target_sum > 0) {
    r.target_sum = {s.target_sum};
    for (const std::int64_t g : s.genes) r.library_gene_ids.push_back(input.genes[static_cast<std::size_t>(g)]);
    r.library_share = s.gene_share;
    r.log1p = true;
  }
  r.scaling = Recipe::Scaling::z_score;
  r.shift.assign(p.shift.begin(), p.shift.end());
  r.factor.assign(p.factor.begin(), p.factor.end());
  if (p.live_genes != static_cast<std::int64_t>(prepared.features.size()))
    for (const float m : p.mask) r.mask.push_back(m > 0 ? 1 : 0);
  r.missing = Recipe::MissingGene::mean;
  return r;
}

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
#include "models/mlp/preparation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/error.h"
#include "kernels/gene_stats.h"
#include "models/cell_types.h"
#include "models/counted.h"
#include "models/device_matrix.h"
#include "models/device_vector.h"
#include "models/library_size.h"

namespace genexx::mlp {
namespace {

bool is_unknown(const Config& config, const std::string& label) {
  return label.empty() ||
         std::find(config.unknown_labels.begin(), config.unknown_labels.end(), label) != config.unknown_labels.end();
}

// What is known of every column over the training cells of one split.
struct ColumnStatistics {
  std::vector<double> mean, variance, min, max;
  std::vector<std::int64_t> found;
  double target_sum = 0;  // median count of the training cells
};

// What brings every cell to the median count of the training cells; the median goes into `target_sum`.
std::vector<float> library_size_factors(const CsrMatrix& matrix, const std::vector<std::int64_t>& cells,
                                        double& target_sum) {
  const std::vector<double> totals = row_totals(matrix);
  std::vector<double> of_training;
  for (const std::int64_t c : cells) of_training.push_back(totals[static_cast<std::size_t>(c)]);
  target_sum = median_of_positive(std::move(of_training));
  std::vector<float> factors;
  for (const double total : totals) factors.push_back(total > 0 ? static_cast<float>(target_sum / total) : 0.0f);
  return factors;
}

ColumnStatistics column_statistics(Context& ctx, const CellInput& input, const Config& config,
                                   const std::vector<std::int64_t>& cells) {
  const auto n = static_cast<std::int64_t>(cells.size());
  const Shape columns = {1, input.matrix.cols};
  const DeviceMatrix data(ctx, input.matrix);
  const DeviceVector<std::int64_t> rows(ctx, {1, n}, cells), found(ctx, columns);
  const DeviceVector<double> mean(ctx, columns), variance(ctx, columns), min(ctx, columns), max(ctx, columns);
  ColumnStatistics s;
  std::optional<DeviceVector<float>> factor;
  gene_stats::Args args = {
      .data = data.data(), .rows = rows, .mean = mean, .variance = variance, .min = min, .max = max, .nnz = found};
  const bool counts = input.input == Recipe::InputKind::counts;
  if (counts && config.logarithm) args.transform = ValueTransform::log1p;
  if (counts && config.library_size) {
    const std::vector<float> factors = library_size_factors(input.matrix, cells, s.target_sum);
    factor.emplace(ctx, Shape{1, input.matrix.rows}, factors);
    args.row_factor = *factor;
  }
  gene_stats::run(ctx, args);
  s.mean = mean.download();
  s.variance = variance.download();
  s.min = min.download();
  s.max = max.download();
  s.found = found.download();
  return s;
}

// Columns found in enough training cells of any split.
std::vector<std::int64_t> chosen_columns(const std::vector<ColumnStatistics>& all, std::int64_t cols,
                                         std::int64_t min_cells) {
  std::vector<std::int64_t> columns;
  for (std::int64_t j = 0; j < cols; ++j)
    if (std::any_of(all.begin(), all.end(),
                    [&](const ColumnStatistics& s) { return s.found[static_cast<std::size_t>(j)] >= min_cells; }))
      columns.push_back(j);
  return columns;
}

// Along the order wanted, genes without a place last; within those and among equals as they were.
void order_columns(std::span<const std::int64_t> rank, std::vector<std::int64_t>& columns) {
  if (rank.empty()) return;
  const auto place = [&](std::int64_t column) {
    const std::int64_t at = rank[static_cast<std::size_t>(column)];
    return at < 0 ? std::numeric_limits<std::int64_t>::max() : at;
  };
  std::stable_sort(columns.begin(), columns.end(), [&](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
}

void add_scaling(const ColumnStatistics& s, const std::vector<std::int64_t>& columns, const std::string& scaling,
                 Recipe& recipe) {
  for (const std::int64_t column : columns) {
    const auto j = static_cast<std::size_t>(column);
    const double shift = scaling == "min_max" ? s.min[j] : scaling == "z_score" ? s.mean[j] : 0.0;
    const double spread = scaling == "min_max"   ? s.max[j] - s.min[j]
                          : scaling == "z_score" ? std::sqrt(s.variance[j])
                                                 : 1.0;
    recipe.shift.push_back(shift);
    recipe.factor.push_back(spread > 0 ? 1 / spread : 0.0);  // a constant gene tells nothing
  }
}

FittedRecipe fit_recipe(const std::vector<ColumnStatistics>& statistics, const CellInput& input, const Config& config) {
  FittedRecipe fitted;
  fitted.columns = chosen_columns(statistics, input.matrix.cols, config.min_gene_cells);
  if (fitted.columns.empty())
    throw RefusedError("no gene is found in " + std::to_string(config.min_gene_cells) +
                       " training cells (select.min_gene_cells); is the matrix empty?");
  order_columns(input.gene_rank, fitted.columns);
  Recipe& recipe = fitted.recipe;
  recipe.gene_ids = names_of(input.genes, fitted.columns);
  recipe.gene_symbols = names_of(input.other_names, fitted.columns);
  recipe.input = input.input;
  const bool counts = input.input == Recipe::InputKind::counts;
  recipe.log1p = counts && config.logarithm;
  // No scaling is min-max scaling from 0 to 1: every split keeps statistics of its own.
  recipe.scaling = config.scaling == "z_score" ? Recipe::Scaling::z_score : Recipe::Scaling::min_max;
  recipe.missing = config.scaling == "z_score" ? Recipe::MissingGene::mean : Recipe::MissingGene::zero;
  if (counts && config.library_size) {
    fitted.library.resize(static_cast<std::size_t>(input.matrix.cols));
    std::iota(fitted.library.begin(), fitted.library.end(), std::int64_t{0});
    recipe.library_gene_ids.assign(input.genes.begin(), input.genes.end());
    recipe.library_gene_symbols.assign(input.other_names.begin(), input.other_names.end());
  }
  for (const ColumnStatistics& s : statistics) {
    add_scaling(s, fitted.columns, config.scaling, recipe);
    if (!counts || !config.library_size) continue;
    recipe.target_sum.push_back(s.target_sum);
    const double total = std::accumulate(s.mean.begin(), s.mean.end(), 0.0);
    for (const double mean : s.mean) recipe.library_share.push_back(mean / total);
  }
  check(recipe);
  return fitted;
}

// How small classes are to be raised. Throws RefusedError where there are no counts to thin.
AugmentationPlan augmentation_of(const Config& config, const CellInput& input, std::uint64_t seed) {
  if (config.augment_share > 0 && config.augment_keep < 1 && input.input != Recipe::InputKind::counts)
    throw RefusedError(
        "augment.keep thins counts, but the values of the data are logarithms or scaled; choose the counts with "
        "--matrix (genexx inspect lists the matrices), or leave augment.keep at 1");
  return {.share = config.augment_share, .keep = config.augment_keep, .mix_up = config.augment_mix_up, .seed = seed};
}

}  // namespace

std::int64_t labelled_cells(const CellInput& input, const Config& config) {
  return std::count_if(input.labels.begin(), input.labels.end(),
                       [&](const std::string& label) { return !is_unknown(config, label); });
}

PreparedCells prepare(Context& ctx, const CellInput& input, const Config& config, const PreparationOptions& options) {
  PreparedCells out;
  std::vector<std::string> labels = input.labels;
  std::int64_t unknown = 0;
  for (std::string& label : labels)
    if (is_unknown(config, label)) {
      unknown += label.empty() ? 0 : 1;
      label.clear();
    }
  if (unknown > 0)
    out.warnings.push_back(counted(unknown, "cell") +
                           " left out: their label means no known type (select.unknown_labels)");
  ClassTable table = make_classes(labels, config.min_class_cells, cells_with_values(input.matrix));
  out.classes = table.names;
  out.warnings.insert(out.warnings.end(), table.warnings.begin(), table.warnings.end());
  out.splits = make_splits(input, table.codes,
                           {.kind = config.split == "random" ? SplitPlan::Kind::random : SplitPlan::Kind::stratified,
                            .validation = config.validation_fraction,
                            .test = config.test_fraction},
                           options);
  std::vector<ColumnStatistics> statistics;
  for (const CellSplit& split : out.splits) statistics.push_back(column_statistics(ctx, input, config, split.train));
  out.fitted = fit_recipe(statistics, input, config);
  const AugmentationPlan plan = augmentation_of(config, input, options.seed);
  SyntheticCells synthetic;
  if (plan.is_on()) synthetic = synthesise(input.matrix, table.codes, out.splits, plan);
  for (const std::int64_t begin : synthetic.begin) out.synthetic_begin.push_back(input.matrix.rows + begin);
  out.set = make_training_set(input.matrix, out.fitted, {std::move(table.codes), out.classes.size()}, synthetic);
  return out;
}

}  // namespace genexx::mlp

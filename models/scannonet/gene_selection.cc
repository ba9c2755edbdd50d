// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/gene_selection.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/error.h"
#include "kernels/gene_stats.h"
#include "kernels/group_means.h"
#include "models/device_vector.h"
#include "models/scannonet/coexpression.h"
#include "models/scannonet/discriminant_index.h"
#include "models/scannonet/gene_filter.h"
#include "models/scannonet/highly_variable.h"
#include "models/scannonet/markers.h"

namespace genexx::scannonet {
namespace {

using Index = std::size_t;

void check_options(const SelectionInput& input, const SelectionOptions& o) {
  if (static_cast<std::int64_t>(input.labels.size()) != input.values.rows)
    throw ShapeError(
        fmt::format("labels has {} entries, expected one for each of {} cells", input.labels.size(), input.values.rows),
        CodeLocation::here());
  const auto refuse = [](const char* name, double value, const char* expected) {
    throw UsageError(fmt::format("{} is {:g}, expected {}", name, value, expected));
  };
  if (o.variable_genes < 1) refuse("variable_genes", static_cast<double>(o.variable_genes), "1 or more");
  if (o.markers_per_type < 1) refuse("markers_per_type", static_cast<double>(o.markers_per_type), "1 or more");
  if (o.min_cells_per_type < 1) refuse("min_cells_per_type", static_cast<double>(o.min_cells_per_type), "1 or more");
  if (!(o.max_p_value > 0 && o.max_p_value <= 1)) refuse("max_p_value", o.max_p_value, "above 0, at most 1");
  if (!(o.index_beta >= 0)) refuse("index_beta", o.index_beta, "0 or more");
}

// The kept cells on the device: which, their library factors, and the logarithm still to be taken.
struct Cells {
  DeviceVector<std::int64_t> rows;
  DeviceVector<float> row_factor;
  ValueTransform logarithm;
};

Cells place_cells(Context& ctx, const SelectionInput& input, const SelectionOptions& options, const Selection& s) {
  const bool counts = options.input == Recipe::InputKind::counts;
  std::vector<float> factor(static_cast<Index>(input.values.rows), counts ? 0.0f : 1.0f);
  for (Index i = 0; i < s.cells.size() && counts; ++i)
    if (s.cell_totals[i] > 0)
      factor[static_cast<Index>(s.cells[i])] = static_cast<float>(s.target_sum / s.cell_totals[i]);
  const std::int64_t n = static_cast<std::int64_t>(s.cells.size());
  return {DeviceVector<std::int64_t>(ctx, {1, n}, s.cells), DeviceVector<float>(ctx, {1, input.values.rows}, factor),
          counts ? ValueTransform::log1p : ValueTransform::none};
}

std::vector<double> picked(const std::vector<double>& values, const std::vector<std::int64_t>& columns) {
  std::vector<double> out;
  out.reserve(columns.size());
  for (const std::int64_t j : columns) out.push_back(values[static_cast<Index>(j)]);
  return out;
}

// Step 5: sets gene_share, dispersions and variable.
void select_variable(Context& ctx, const DeviceMatrix& matrix, const Cells& cells, const SelectionOptions& options,
                     Selection& s) {
  const std::int64_t cols = matrix.data().cols;
  const DeviceVector<double> means(ctx, {1, cols}), variances(ctx, {1, cols});
  gene_stats::run(ctx, {.data = matrix.data(),
                        .rows = cells.rows,
                        .row_factor = cells.row_factor,
                        .transform = options.input == Recipe::InputKind::log_normalized ? ValueTransform::expm1
                                                                                        : ValueTransform::none,
                        .mean = means,
                        .variance = variances});
  const std::vector<double> mean = picked(means.download(), s.genes), variance = picked(variances.download(), s.genes);
  if (options.input == Recipe::InputKind::counts) {
    double total = 0;
    for (const double m : mean) total += m;
    for (const double m : mean) s.gene_share.push_back(total > 0 ? m / total : 0.0);
  }
  if (options.input != Recipe::InputKind::scaled) s.dispersions = normalised_dispersions(mean, variance);
  const std::vector<std::int64_t> chosen =
      most_variable(options.input == Recipe::InputKind::scaled ? variance : s.dispersions, options.variable_genes);
  for (const std::int64_t g : chosen) s.variable.push_back(s.genes[static_cast<Index>(g)]);
  if (s.variable.empty())
    throw RefusedError(fmt::format("none of {} genes varies between the {} cells", s.genes.size(), s.cells.size()));
}

// What is known of each column of the logarithmic data.
struct ColumnStats {
  std::vector<double> mean, variance, min, max, within;  // [cols]
  std::vector<double> type_mean;                         // [types, cols]
  std::vector<std::int64_t> type_cells;                  // [types]
  std::int64_t cols = 0;

  bool constant(std::int64_t j) const { return min[static_cast<Index>(j)] == max[static_cast<Index>(j)]; }
};

ColumnStats column_stats(Context& ctx, const DeviceMatrix& matrix, const Cells& cells, const SelectionInput& input,
                         const Selection& s) {
  const std::int64_t cols = matrix.data().cols, types = static_cast<std::int64_t>(s.types.size());
  std::vector<std::int32_t> group(static_cast<Index>(input.values.rows), -1);
  for (const std::int64_t cell : s.cells) {
    const auto at = std::lower_bound(s.types.begin(), s.types.end(), input.labels[static_cast<Index>(cell)]);
    group[static_cast<Index>(cell)] = static_cast<std::int32_t>(at - s.types.begin());
  }
  const DeviceVector<std::int32_t> groups(ctx, {input.values.rows}, group);
  const DeviceVector<double> mean(ctx, {1, cols}), variance(ctx, {1, cols}), low(ctx, {1, cols}), high(ctx, {1, cols});
  const DeviceVector<double> within(ctx, {1, cols}), type_mean(ctx, {1, types, cols});
  const DeviceVector<std::int64_t> type_cells(ctx, {1, types});
  gene_stats::run(ctx, {.data = matrix.data(),
                        .rows = cells.rows,
                        .row_factor = cells.row_factor,
                        .transform = cells.logarithm,
                        .mean = mean,
                        .variance = variance,
                        .min = low,
                        .max = high});
  group_means::run(ctx, {.data = matrix.data(),
                         .rows = cells.rows,
                         .row_factor = cells.row_factor,
                         .transform = cells.logarithm,
                         .group_of_cell = groups,
                         .mean = type_mean,
                         .count = type_cells,
                         .within = within});
  return {mean.download(),   variance.download(),  low.download(),        high.download(),
          within.download(), type_mean.download(), type_cells.download(), cols};
}

// Step 6, over the variable genes.
void select_markers(const ColumnStats& stats, const SelectionOptions& options, Selection& s) {
  const std::int64_t types = static_cast<std::int64_t>(s.types.size());
  std::vector<double> means;
  for (std::int64_t t = 0; t < types; ++t)
    for (const std::int64_t j : s.variable) means.push_back(stats.type_mean[static_cast<Index>(t * stats.cols + j)]);
  const MarkerScore score =
      options.input == Recipe::InputKind::scaled ? MarkerScore::difference : MarkerScore::log2_fold_change;
  for (const scannonet::Marker& m : find_markers(
           means, types, {.score = score, .above = options.min_log2_fold_change, .most = options.markers_per_type}))
    s.markers.push_back({s.types[static_cast<Index>(m.type)], s.variable[static_cast<Index>(m.gene)], m.score});
  if (s.markers.empty())
    throw RefusedError(
        fmt::format("no gene has a log2 fold change above {:g} in any of {} cell types, so there is no marker; "
                    "lower select.min_log2_fold_change or check that the labels fit the data",
                    options.min_log2_fold_change, types));
}

// Step 8, over the variable genes that are no markers.
void select_coexpressed(Context& ctx, const DeviceMatrix& matrix, const Cells& cells, const ColumnStats& stats,
                        const SelectionOptions& options, Selection& s) {
  CoexpressionInput input{matrix.data(), cells.rows, cells.row_factor, cells.logarithm};
  input.cells = static_cast<std::int64_t>(s.cells.size());
  input.max_p_value = options.max_p_value;
  const double freedom = static_cast<double>(s.cells.size()) - 1;
  const auto side = [&](const std::vector<std::int64_t>& columns) {
    GeneSide genes{columns, picked(stats.mean, columns), {}};
    for (const std::int64_t j : columns) {
      const double squares = stats.variance[static_cast<Index>(j)] * freedom;
      genes.rnorm.push_back(stats.constant(j) || squares <= 0 ? 0.0 : 1 / std::sqrt(squares));
    }
    return genes;
  };
  std::vector<std::int64_t> markers, others;
  for (const Selection::Marker& m : s.markers) markers.push_back(m.gene);
  std::sort(markers.begin(), markers.end());
  markers.erase(std::unique(markers.begin(), markers.end()), markers.end());
  std::set_difference(s.variable.begin(), s.variable.end(), markers.begin(), markers.end(), std::back_inserter(others));
  const PValues p = significant_pairs(ctx, input, side(others), side(markers));
  for (const Selection::Marker& m : s.markers) {
    const Index b = static_cast<Index>(std::lower_bound(markers.begin(), markers.end(), m.gene) - markers.begin());
    for (Index a = 0; a < others.size(); ++a)
      if (p.significant(a, b)) s.coexpressed.push_back({m.type, m.gene, others[a], p.at(a, b)});
  }
}

// Steps 7 and 9: features and their statistics.
void finish_features(const ColumnStats& stats, const SelectionOptions& options, Selection& s) {
  std::vector<std::uint8_t> seen(static_cast<Index>(stats.cols), 0);
  for (const Selection::Marker& m : s.markers) {
    if (!seen[static_cast<Index>(m.gene)]) s.features.push_back(m.gene);
    seen[static_cast<Index>(m.gene)] = 1;
  }
  const std::size_t markers = s.features.size();
  for (const Selection::Coexpression& c : s.coexpressed) {
    if (!seen[static_cast<Index>(c.gene)]) s.features.push_back(c.gene);
    seen[static_cast<Index>(c.gene)] = 1;
  }
  std::sort(s.features.begin() + static_cast<std::ptrdiff_t>(markers), s.features.end());
  std::vector<Scatter> scatter;
  for (const std::int64_t j : s.features) {
    const Index column = static_cast<Index>(j);
    const double deviation = std::sqrt(stats.variance[column]);  // above 0: a constant gene is no marker and has no p
    s.mean.push_back(stats.mean[column]);
    s.deviation.push_back(deviation);
    Scatter z{0, stats.within[column] / (deviation * deviation)};
    for (std::size_t t = 0; t < s.types.size(); ++t) {
      const double d = (stats.type_mean[t * static_cast<Index>(stats.cols) + column] - stats.mean[column]) / deviation;
      z.between += static_cast<double>(stats.type_cells[t]) * d * d;
    }
    scatter.push_back(z);
  }
  s.index = discriminant_index(scatter, options.index_beta);
}

}  // namespace

Selection select_genes(Context& ctx, const SelectionInput& input, const SelectionOptions& options) {
  check_options(input, options);
  Selection selection;
  const DeviceMatrix matrix(ctx, input.values);
  filter(ctx, matrix, input, options, selection);
  const Cells cells = place_cells(ctx, input, options, selection);
  select_variable(ctx, matrix, cells, options, selection);
  const ColumnStats stats = column_stats(ctx, matrix, cells, input, selection);
  select_markers(stats, options, selection);
  select_coexpressed(ctx, matrix, cells, stats, options, selection);
  finish_features(stats, options, selection);
  return selection;
}

}  // namespace genexx::scannonet

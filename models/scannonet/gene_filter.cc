// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/gene_filter.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "engine/error.h"
#include "kernels/gene_stats.h"
#include "models/cell_types.h"
#include "models/counted.h"
#include "models/device_vector.h"
#include "models/library_size.h"

namespace genexx::scannonet {
namespace {

constexpr double kFewestExpressingCells = 3;  // of a gene, where values are not counts

// Which columns pass: total count, or number of cells that express the gene.
std::vector<std::uint8_t> passing_genes(Context& ctx, const DeviceMatrix& matrix, const SelectionOptions& options,
                                        Selection& selection) {
  const std::int64_t cols = matrix.data().cols, n = static_cast<std::int64_t>(selection.cells.size());
  const DeviceVector<std::int64_t> rows(ctx, {1, n}, selection.cells);
  const DeviceVector<double> sums(ctx, {1, cols});
  const DeviceVector<std::int64_t> counts(ctx, {1, cols});
  gene_stats::run(ctx, {.data = matrix.data(), .rows = rows, .sum = sums, .nnz = counts});
  const std::vector<double> sum = sums.download();
  const std::vector<std::int64_t> nnz = counts.download();
  const bool by_count = options.input == Recipe::InputKind::counts || options.min_gene_total.has_value();
  const double total = std::accumulate(sum.begin(), sum.end(), 0.0);
  const double least = by_count ? least_gene_total(options, n, total) : kFewestExpressingCells;
  std::vector<std::uint8_t> keep(static_cast<std::size_t>(cols), 0);
  std::int64_t empty = 0, low = 0;
  for (std::size_t j = 0; j < keep.size(); ++j) {
    keep[j] = nnz[j] > 0 && (by_count ? sum[j] : static_cast<double>(nnz[j])) >= least;
    if (keep[j]) selection.genes.push_back(static_cast<std::int64_t>(j));
    if (nnz[j] == 0) ++empty;
    if (nnz[j] > 0 && !keep[j]) ++low;
  }
  if (empty > 0)
    selection.warnings.push_back(fmt::format("dropped {} of {} that no cell expresses", counted(empty, "gene"), cols));
  if (low > 0)
    selection.warnings.push_back(
        by_count ? fmt::format("dropped {} with a total count below {:g}", counted(low, "gene"), least)
                 : fmt::format("dropped {} that fewer than {:g} cells express", counted(low, "gene"), least));
  if (selection.genes.empty())
    throw RefusedError(
        fmt::format("no gene is left: none of {} reaches a total of {:g} over {} cells; lower select.min_gene_counts",
                    cols, least, n));
  return keep;
}

// Keeps the cells whose total over the kept genes is large enough; sets cell_totals.
void pass_cells(const SelectionInput& input, const SelectionOptions& options, const std::vector<std::uint8_t>& keep,
                Selection& selection) {
  const std::vector<double> totals = row_totals(input.values, keep);
  std::vector<std::int64_t> cells;
  std::int64_t empty = 0, low = 0;
  for (const std::int64_t cell : selection.cells) {
    const std::size_t i = static_cast<std::size_t>(cell);
    const bool all_zero = input.values.row_begin[i] == input.values.row_begin[i + 1];
    const bool counts = options.input == Recipe::InputKind::counts;
    if (all_zero || (counts && totals[i] < options.min_cell_total)) {
      ++(all_zero ? empty : low);
      continue;
    }
    cells.push_back(cell);
    selection.cell_totals.push_back(totals[i]);
  }
  if (empty > 0) selection.warnings.push_back("dropped " + counted(empty, "cell") + " without any value");
  if (low > 0)
    selection.warnings.push_back(
        fmt::format("dropped {} with a total count below {:g}", counted(low, "cell"), options.min_cell_total));
  selection.cells = std::move(cells);
}

}  // namespace

double least_gene_total(const SelectionOptions& options, std::int64_t cells, double total) {
  if (options.min_gene_total) return *options.min_gene_total;
  return std::clamp(std::max(0.05 * static_cast<double>(cells), 1e-5 * total), 3.0, 1000.0);
}

void filter(Context& ctx, const DeviceMatrix& matrix, const SelectionInput& input, const SelectionOptions& options,
            Selection& selection) {
  KeptCells kept = keep_large_types(input.labels, input.type_names, input.cells, options.min_cells_per_type);
  selection.cells = std::move(kept.cells);
  selection.types = std::move(kept.types);
  selection.warnings = std::move(kept.warnings);
  if (selection.types.size() < 2)
    throw RefusedError(
        fmt::format("{} cell type(s) with at least {} cells, expected two or more; is this the label column?",
                    selection.types.size(), options.min_cells_per_type));
  const std::vector<std::uint8_t> keep = passing_genes(ctx, matrix, options, selection);
  pass_cells(input, options, keep, selection);
  std::vector<std::int32_t> left;
  for (const std::int64_t cell : selection.cells) left.push_back(input.labels[static_cast<std::size_t>(cell)]);
  std::sort(left.begin(), left.end());
  left.erase(std::unique(left.begin(), left.end()), left.end());
  if (left.size() < selection.types.size())
    selection.warnings.push_back("dropped " +
                                 counted(static_cast<std::int64_t>(selection.types.size() - left.size()), "cell type") +
                                 " that has no cell left");
  selection.types = std::move(left);
  if (selection.types.size() < 2)
    throw RefusedError(
        fmt::format("{} cell types are left after {} of {} cells were kept, expected two or more; lower "
                    "select.min_cell_counts",
                    selection.types.size(), selection.cells.size(), input.values.rows));
  if (options.input == Recipe::InputKind::counts) selection.target_sum = median_of_positive(selection.cell_totals);
}

}  // namespace genexx::scannonet

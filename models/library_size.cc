// SPDX-License-Identifier: Apache-2.0
#include "models/library_size.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"

namespace genexx {

std::vector<double> row_totals(const CsrMatrix& matrix, std::span<const std::uint8_t> keep) {
  std::vector<double> totals(static_cast<std::size_t>(matrix.rows), 0.0);
  for (std::size_t i = 0; i < totals.size(); ++i)
    for (std::int64_t e = matrix.row_begin[i]; e < matrix.row_begin[i + 1]; ++e) {
      const std::size_t entry = static_cast<std::size_t>(e);
      if (keep.empty() || keep[static_cast<std::size_t>(matrix.column[entry])])
        totals[i] += static_cast<double>(matrix.value[entry]);
    }
  return totals;
}

double median_of_positive(std::vector<double> totals) {
  totals.erase(std::remove_if(totals.begin(), totals.end(), [](double t) { return !(t > 0); }), totals.end());
  if (totals.empty()) return 0;
  const auto middle = totals.begin() + static_cast<std::ptrdiff_t>(totals.size() / 2);
  std::nth_element(totals.begin(), middle, totals.end());
  if (totals.size() % 2 == 1) return *middle;
  return 0.5 * (*std::max_element(totals.begin(), middle) + *middle);
}

std::vector<float> library_factors(const CsrMatrix& matrix, const Recipe& recipe, std::int64_t replica,
                                   std::span<const std::int32_t> library_gene_of_column) {
  std::vector<float> factors(static_cast<std::size_t>(matrix.rows), 1.0f);
  if (recipe.target_sum.empty()) return factors;
  const std::size_t k = static_cast<std::size_t>(replica), genes = recipe.library_gene_ids.size();
  const double* share = recipe.library_share.data() + k * genes % recipe.library_share.size();
  std::vector<std::uint8_t> keep(static_cast<std::size_t>(matrix.cols), 0), present(genes, 0);
  for (std::size_t j = 0; j < keep.size(); ++j) {
    const std::int32_t gene = library_gene_of_column[j];
    if (gene < 0 || share[gene] == 0) continue;
    keep[j] = 1;
    present[static_cast<std::size_t>(gene)] = 1;
  }
  double covered = 0;
  bool complete = true;
  for (std::size_t g = 0; g < genes; ++g) {
    if (share[g] == 0) continue;
    complete = complete && present[g] != 0;
    if (present[g]) covered += share[g];
  }
  if (covered == 0)
    throw RefusedError("none of the " + std::to_string(genes) + " genes over which library sizes are taken is in the " +
                       "input; are gene names of the same kind (symbols, Ensembl) and species as in training?");
  const double target = recipe.target_sum[k % recipe.target_sum.size()] * (complete ? 1.0 : covered);
  const std::vector<double> totals = row_totals(matrix, keep);
  for (std::size_t i = 0; i < factors.size(); ++i)
    factors[i] = totals[i] > 0 ? static_cast<float>(target / totals[i]) : 0.0f;
  return factors;
}

CsrMatrix normalised(const CsrMatrix& matrix, std::span<const std::int32_t> gene_of_column, std::int64_t genes,
                     std::span<const float> row_factor, Logarithm logarithm) {
  CsrMatrix out;
  out.rows = matrix.rows;
  out.cols = genes;
  out.row_begin.reserve(static_cast<std::size_t>(matrix.rows) + 1);
  const auto entries =
      static_cast<std::size_t>(std::count_if(matrix.column.begin(), matrix.column.end(), [&](std::int32_t j) {
        return gene_of_column[static_cast<std::size_t>(j)] >= 0;
      }));
  out.column.reserve(entries);
  out.value.reserve(entries);
  std::vector<std::pair<std::int32_t, float>> row;
  for (std::size_t i = 0; i < static_cast<std::size_t>(matrix.rows); ++i) {
    row.clear();
    const double factor = row_factor.empty() ? 1.0 : static_cast<double>(row_factor[i]);
    for (std::int64_t e = matrix.row_begin[i]; e < matrix.row_begin[i + 1]; ++e) {
      const std::size_t entry = static_cast<std::size_t>(e);
      const std::int32_t gene = gene_of_column[static_cast<std::size_t>(matrix.column[entry])];
      if (gene < 0) continue;
      const double x = static_cast<double>(matrix.value[entry]) * factor;
      const float value = static_cast<float>(logarithm == Logarithm::yes ? std::log1p(x) : x);
      if (value != 0) row.push_back({gene, value});
    }
    std::sort(row.begin(), row.end());
    for (const auto& [gene, value] : row) {
      out.column.push_back(gene);
      out.value.push_back(value);
    }
    out.row_begin.push_back(static_cast<std::int64_t>(out.column.size()));
  }
  return out;
}

}  // namespace genexx

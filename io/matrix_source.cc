// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx {

void limit_cells(Annotations& annotations, std::int64_t cells) {
  const auto keep = static_cast<std::size_t>(std::max<std::int64_t>(cells, 0));
  if (keep >= annotations.cell_names.size()) return;
  annotations.cell_names.resize(keep);
  truncate_rows(annotations.cells, static_cast<std::int64_t>(keep));
}

void MatrixSource::set_cell_column(Column column) {
  if (row_count(column) != rows()) {
    throw InputError(fmt::format("The cell column '{}' has {} rows, the matrix has {} cells. Give one line for each cell.",
                                 column.name, row_count(column), rows()));
  }
  for (Column& present : annotations_.cells.columns) {
    if (present.name == column.name) {
      present = std::move(column);
      return;
    }
  }
  annotations_.cells.columns.push_back(std::move(column));
}

void MatrixSource::use_gene_column(const std::string& name) {
  const Column* column = annotations_.genes.find(name);
  if (!column) {
    std::string known;
    for (const Column& c : annotations_.genes.columns) known += (known.empty() ? "" : ", ") + c.name;
    throw RefusedError(fmt::format("There is no gene column '{}'. The gene table has: {}. Try --gene-column with one of "
                                   "these, or leave it out.", name, known.empty() ? "no columns" : known));
  }
  const Categorical labels = as_categorical(*column);
  for (std::size_t gene = 0; gene < labels.codes.size(); ++gene) {
    const std::int32_t code = labels.codes[gene];
    annotations_.gene_names[gene] = code < 0 ? "" : labels.categories[static_cast<std::size_t>(code)];
  }
}

}  // namespace genexx

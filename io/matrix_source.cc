// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_source.h"

#include <algorithm>
#include <utility>

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
    throw InputError(
        fmt::format("The cell column '{}' has {} rows, the matrix has {} cells. Give one line for each cell.",
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
    throw RefusedError(
        fmt::format("There is no gene column '{}'. The gene table has: {}. Try --gene-column with one of "
                    "these, or leave it out.",
                    name, known.empty() ? "no columns" : known));
  }
  const Categorical labels = as_categorical(*column);
  for (std::size_t gene = 0; gene < labels.codes.size(); ++gene) {
    const std::int32_t code = labels.codes[gene];
    annotations_.gene_names[gene] = code < 0 ? "" : labels.categories[static_cast<std::size_t>(code)];
  }
}

CsrMatrix read_all(MatrixSource& source) {
  source.rewind();
  CsrMatrix all;
  all.cols = source.cols();
  const auto append = [&all](const CsrMatrix& block) {
    for (std::int64_t i = 1; i <= block.rows; ++i) {
      all.row_begin.push_back(static_cast<std::int64_t>(all.column.size()) +
                              block.row_begin[static_cast<std::size_t>(i)]);
    }
    all.column.insert(all.column.end(), block.column.begin(), block.column.end());
    all.value.insert(all.value.end(), block.value.begin(), block.value.end());
    all.rows += block.rows;
  };
  constexpr std::int64_t kRowsAtOnce = 1024;
  CsrMatrix block;
  if (source.stored_values() >= 0) {
    all.column.reserve(static_cast<std::size_t>(source.stored_values()));
    all.value.reserve(static_cast<std::size_t>(source.stored_values()));
    while (source.next(block, kRowsAtOnce)) append(block);
    return all;
  }
  std::vector<CsrMatrix> blocks;
  std::size_t stored = 0;
  while (source.next(block, kRowsAtOnce)) {
    stored += block.column.size();
    blocks.push_back(std::move(block));
  }
  all.column.reserve(stored);
  all.value.reserve(stored);
  for (CsrMatrix& part : blocks) append(std::exchange(part, CsrMatrix()));
  return all;
}

}  // namespace genexx

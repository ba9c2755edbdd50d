// SPDX-License-Identifier: Apache-2.0
#include "io/csr_transposer.h"

#include <utility>

namespace genexx {

CsrMatrix CsrTransposer::finish() {
  CsrMatrix matrix;
  matrix.rows = static_cast<std::int64_t>(in_cell_.size());
  matrix.cols = genes();
  matrix.row_begin.reserve(in_cell_.size() + 1);
  for (const std::int64_t count : in_cell_) matrix.row_begin.push_back(matrix.nnz() + count);
  matrix.column.resize(static_cast<std::size_t>(matrix.nnz()));
  matrix.value.resize(static_cast<std::size_t>(matrix.nnz()));
  std::vector<std::int64_t> place = std::exchange(in_cell_, {});
  place.assign(matrix.row_begin.begin(), matrix.row_begin.end() - 1);
  std::size_t gene = 0;
  std::int64_t seen = 0;
  entries_.drain([&](const Entry& entry) {
    while (seen >= gene_end_[gene]) ++gene;
    ++seen;
    const auto at = static_cast<std::size_t>(place[static_cast<std::size_t>(entry.cell)]++);
    matrix.column[at] = static_cast<std::int32_t>(gene);
    matrix.value[at] = entry.value;
  });
  gene_end_.clear();
  return matrix;
}

}  // namespace genexx

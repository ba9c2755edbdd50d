// SPDX-License-Identifier: Apache-2.0
#include "models/csr_rows.h"

namespace genexx {

CsrMatrix csr_rows(const CsrMatrix& matrix, std::span<const std::int64_t> rows) {
  CsrMatrix some;
  some.rows = static_cast<std::int64_t>(rows.size());
  some.cols = matrix.cols;
  for (const std::int64_t row : rows) {
    const auto begin = matrix.row_begin[static_cast<std::size_t>(row)];
    const auto end = matrix.row_begin[static_cast<std::size_t>(row) + 1];
    some.column.insert(some.column.end(), matrix.column.begin() + begin, matrix.column.begin() + end);
    some.value.insert(some.value.end(), matrix.value.begin() + begin, matrix.value.begin() + end);
    some.row_begin.push_back(static_cast<std::int64_t>(some.column.size()));
  }
  return some;
}

}  // namespace genexx

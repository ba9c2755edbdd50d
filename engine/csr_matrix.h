// SPDX-License-Identifier: Apache-2.0
// A sparse matrix in compressed sparse rows, the form in which expression data stays until a kernel needs it dense.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx {

// Cells (rows) by genes (columns). Row i owns [row_begin[i], row_begin[i+1]) of `column` and `value`; columns within a
// row are strictly increasing. Offsets are 64-bit: atlases exceed 2^31 stored values.
struct CsrMatrix {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<std::int64_t> row_begin = {0};  // [rows + 1]
  std::vector<std::int32_t> column;           // [nnz]
  std::vector<float> value;                   // [nnz]

  std::int64_t nnz() const { return row_begin.back(); }
};

}  // namespace genexx

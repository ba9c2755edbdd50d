// SPDX-License-Identifier: Apache-2.0
#include "io/dense_rows.h"

namespace genexx {

std::vector<float> dense_rows(const CsrMatrix& block) {
  std::vector<float> values(static_cast<std::size_t>(block.rows * block.cols), 0.0f);
  for (std::int64_t i = 0; i < block.rows; ++i) {
    float* row = values.data() + i * block.cols;
    for (std::int64_t k = block.row_begin[static_cast<std::size_t>(i)];
         k < block.row_begin[static_cast<std::size_t>(i + 1)]; ++k)
      row[block.column[static_cast<std::size_t>(k)]] = block.value[static_cast<std::size_t>(k)];
  }
  return values;
}

}  // namespace genexx

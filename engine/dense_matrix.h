// SPDX-License-Identifier: Apache-2.0
// A dense matrix on the host: data that is dense by nature, such as microarray profiles, and regression targets.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx {

// Row-major; row i owns [i cols, (i + 1) cols) of `value`.
struct DenseMatrix {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<float> value;  // [rows * cols]

  bool empty() const { return rows == 0; }
};

}  // namespace genexx

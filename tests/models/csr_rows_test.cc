// SPDX-License-Identifier: Apache-2.0
#include "models/csr_rows.h"

#include <doctest/doctest.h>
#include <vector>

using namespace genexx;

TEST_CASE("csr_rows: takes rows in any order, twice where asked, empty ones too") {
  // 5 .      . .      6 7
  const CsrMatrix m = {.rows = 3, .cols = 2, .row_begin = {0, 1, 1, 3}, .column = {0, 0, 1}, .value = {5, 6, 7}};
  const std::vector<std::int64_t> rows = {2, 1, 0, 2};

  const CsrMatrix some = csr_rows(m, rows);

  CHECK(some.rows == 4);
  CHECK(some.cols == 2);
  CHECK(some.row_begin == std::vector<std::int64_t>{0, 2, 2, 3, 5});
  CHECK(some.column == std::vector<std::int32_t>{0, 1, 0, 0, 1});
  CHECK(some.value == std::vector<float>{6, 7, 5, 6, 7});
}

// SPDX-License-Identifier: Apache-2.0
// A synthetic data set for the benches of ops over cells.
#pragma once

#include "bench/support/bench.h"
#include "kernels/expression_data.h"

namespace genexx::bench {

// CSR: `cells` rows with `stored` values each, one in every span of cols / stored columns, counts of 1 to 20.
ExpressionData stored_cells(Suite& suite, std::int64_t cells, std::int64_t cols, std::int64_t stored);

// [1, cells] i64: 0, 1, 2, ...
Tensor all_rows(Suite& suite, std::int64_t cells);

// [1, cells] f32: 1.25 for every cell.
Tensor row_factors(Suite& suite, std::int64_t cells);

}  // namespace genexx::bench

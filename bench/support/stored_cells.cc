// SPDX-License-Identifier: Apache-2.0
#include "bench/support/stored_cells.h"

#include <numeric>
#include <vector>

#include "engine/philox.h"

namespace genexx::bench {

ExpressionData stored_cells(Suite& suite, std::int64_t cells, std::int64_t cols, std::int64_t stored) {
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> column;
  std::vector<float> value;
  for (std::int64_t i = 0; i <= cells; ++i) begin.push_back(i * stored);
  const std::int64_t span = cols / stored;
  for (std::int64_t i = 0; i < cells * stored; ++i) {
    const PhiloxCounter word = philox(philox_key(1, 1), {static_cast<std::uint32_t>(i), 0, 0, 0});
    column.push_back(static_cast<std::int32_t>(i % stored * span + word.x % span));
    value.push_back(static_cast<float>(1 + word.y % 20));
  }
  Context& ctx = suite.context();
  const Tensor row_begin = suite.raw({cells + 1}, DType::i64);
  const Tensor columns = suite.raw({cells * stored}, DType::i32), values = suite.raw({cells * stored}, DType::f32);
  ctx.copy_to_device(row_begin.data, begin.data(), (cells + 1) * 8);
  ctx.copy_to_device(columns.data, column.data(), cells * stored * 4);
  ctx.copy_to_device(values.data, value.data(), cells * stored * 4);
  return {.row_begin = row_begin, .column = columns, .value = values, .cols = cols};
}

Tensor all_rows(Suite& suite, std::int64_t cells) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(cells));
  std::iota(index.begin(), index.end(), 0);
  const Tensor rows = suite.raw({1, cells}, DType::i64);
  suite.context().copy_to_device(rows.data, index.data(), cells * 8);
  return rows;
}

Tensor row_factors(Suite& suite, std::int64_t cells) {
  const std::vector<float> factors(static_cast<std::size_t>(cells), 1.25f);
  const Tensor row_factor = suite.raw({1, cells}, DType::f32);
  suite.context().copy_to_device(row_factor.data, factors.data(), cells * 4);
  return row_factor;
}

}  // namespace genexx::bench

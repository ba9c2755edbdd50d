// SPDX-License-Identifier: Apache-2.0
// What a cell stores in a range of columns, for the CPU ops that go over ExpressionData.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "kernels/expression_data.h"

namespace genexx {

// Columns ascend. Entry i is in column `column[i]`, or `first + i` for dense data, where `column` is null.
struct StoredRow {
  const std::int32_t* column = nullptr;
  const float* value = nullptr;
  std::int64_t count = 0;
  std::int64_t first = 0;

  std::int64_t column_of(std::int64_t i) const { return column ? column[i] : first + i; }
};

inline StoredRow stored_row(const ExpressionData& data, std::int64_t cell) {
  if (data.dense) {
    assert(cell >= 0 && cell < data.dense.shape[0]);
    return {nullptr, data.dense.as<float>() + cell * data.cols, data.cols, 0};
  }
  assert(cell >= 0 && cell + 1 < data.row_begin.shape[0]);
  const std::int64_t* begin = data.row_begin.as<std::int64_t>() + cell;
  if (begin[0] == begin[1]) return {};
  return {data.column.as<std::int32_t>() + begin[0], data.value.as<float>() + begin[0], begin[1] - begin[0], 0};
}

// The part of it in columns [first, last). O(log count).
inline StoredRow stored_row(const ExpressionData& data, std::int64_t cell, std::int64_t first, std::int64_t last) {
  StoredRow row = stored_row(data, cell);
  if (!row.column) {
    if (row.count == 0) return row;
    return {nullptr, row.value + first, last - first, first};
  }
  const std::int32_t* end = row.column + row.count;
  const std::int32_t* from = std::lower_bound(row.column, end, first);
  const std::int32_t* to = std::lower_bound(from, end, last);
  return {from, row.value + (from - row.column), to - from, 0};
}

template <class T>
T transformed(ValueTransform transform, T x) {
  switch (transform) {
    case ValueTransform::none:
      return x;
    case ValueTransform::log1p:
      return std::log1p(x);
    case ValueTransform::expm1:
      return std::expm1(x);
  }
  return x;
}

// The cells one replica looks at.
struct SelectedCells {
  const ExpressionData& data;
  const std::int64_t* rows;  // [n]; -1 is passed over
  std::int64_t n;
  const float* row_factor;  // by cell; null: 1
  ValueTransform transform;
};

// Calls body(column - first, x) for every entry stored in columns [first, last) of the selected cells for which
// keep(cell) holds, in the order of the rows; x is the value times the factor, transformed. Returns the rows kept.
template <class Keep, class Body>
std::int64_t for_each_stored(const SelectedCells& cells, std::int64_t first, std::int64_t last, Keep&& keep,
                             Body&& body) {
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < cells.n; ++i) {
    const std::int64_t cell = cells.rows[i];
    if (cell < 0 || !keep(cell)) continue;
    ++kept;
    const double factor = cells.row_factor ? static_cast<double>(cells.row_factor[cell]) : 1.0;
    const StoredRow row = stored_row(cells.data, cell, first, last);
    for (std::int64_t s = 0; s < row.count; ++s)
      body(row.column_of(s) - first, transformed(cells.transform, static_cast<double>(row.value[s]) * factor));
  }
  return kept;
}

}  // namespace genexx

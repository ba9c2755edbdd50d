// SPDX-License-Identifier: Apache-2.0
// What a cell stores in a range of columns, for the CUDA ops that go over ExpressionData.
#pragma once

#include "kernels/expression_data.h"
#include "kernels/launch.h"

namespace genexx::device {

// ExpressionData as kernels take it. Entry e of the data set is in column `column[e]`; for dense data `row_begin` and
// `column` are null.
struct StoredValues {
  const std::int64_t* row_begin;
  const std::int32_t* column;
  const float* value;
  std::int64_t cols;
};

inline StoredValues stored_values(const ExpressionData& d) {
  if (d.dense) return {nullptr, nullptr, d.dense.as<float>(), d.cols};
  return {d.row_begin.as<std::int64_t>(), d.column ? d.column.as<std::int32_t>() : nullptr,
          d.value ? d.value.as<float>() : nullptr, d.cols};
}

// Entries [begin, end) of one cell; the column of entry e of dense data is e - base.
struct EntryRange {
  std::int64_t begin, end, base;
};

// All entries of a cell.
__device__ inline EntryRange entries_of(const StoredValues& v, std::int64_t cell) {
  if (v.row_begin == nullptr) return {cell * v.cols, (cell + 1) * v.cols, cell * v.cols};
  return {v.row_begin[cell], v.row_begin[cell + 1], 0};
}

// The first entry in [begin, end) whose column is at least `column`.
__device__ inline std::int64_t lower_bound(const StoredValues& v, std::int64_t begin, std::int64_t end,
                                           std::int64_t column) {
  while (begin < end) {
    const std::int64_t middle = begin + (end - begin) / 2;
    if (v.column[middle] < column) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

// Entries of a cell in columns [first, last). O(log entries) reads of one address by all threads of a warp.
__device__ inline EntryRange entries_of(const StoredValues& v, std::int64_t cell, std::int64_t first,
                                        std::int64_t last) {
  EntryRange range = entries_of(v, cell);
  if (v.row_begin == nullptr) return {range.base + first, range.base + last, range.base};
  range.begin = lower_bound(v, range.begin, range.end, first);
  range.end = lower_bound(v, range.begin, range.end, last);
  return range;
}

__device__ inline std::int64_t column_of(const StoredValues& v, const EntryRange& range, std::int64_t entry) {
  return v.column != nullptr ? v.column[entry] : entry - range.base;
}

__device__ inline float transformed(ValueTransform transform, float x) {
  if (transform == ValueTransform::log1p) return ::log1pf(x);
  if (transform == ValueTransform::expm1) return ::expm1f(x);
  return x;
}
__device__ inline double transformed(ValueTransform transform, double x) {
  if (transform == ValueTransform::log1p) return ::log1p(x);
  if (transform == ValueTransform::expm1) return ::expm1(x);
  return x;
}

// The cells one replica looks at.
struct SelectedCells {
  StoredValues stored;
  const std::int64_t* rows;  // -1 is passed over
  const float* row_factor;   // by cell; null: 1
  ValueTransform transform;
};

// For rows [begin, end) of the selection for whose cell keep(cell) holds, calls body(column - first, x) for every entry
// stored in columns [first, last); x is the value times the factor, transformed. A row's entries are shared out over
// the lanes, row after row, with a warp barrier behind each row, so that no two lanes meet at one column between
// barriers. All lanes of the warp must arrive. Returns the rows kept.
template <class Keep, class Body>
__device__ inline std::int64_t for_each_stored(const SelectedCells& cells, std::int64_t begin, std::int64_t end,
                                               std::int64_t first, std::int64_t last, Keep keep, Body body) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  std::int64_t kept = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t cell = cells.rows[i];
    if (cell < 0 || !keep(cell)) continue;
    ++kept;
    const double factor = cells.row_factor != nullptr ? double(cells.row_factor[cell]) : 1.0;
    const EntryRange range = entries_of(cells.stored, cell, first, last);
    for (std::int64_t entry = range.begin + lane; entry < range.end; entry += 32)
      body(static_cast<int>(column_of(cells.stored, range, entry) - first),
           transformed(cells.transform, double(cells.stored.value[entry]) * factor));
    __syncwarp();
  }
  return kept;
}

}  // namespace genexx::device

// SPDX-License-Identifier: Apache-2.0
#include "io/memory_source.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "engine/error.h"

namespace genexx {

bool MemorySource::next(CsrMatrix& block, std::int64_t max_rows) {
  if (load_) {
    matrix_ = std::exchange(load_, nullptr)();
    if (matrix_.rows != rows() || matrix_.cols != cols()) {
      throw InputError(
          fmt::format("the matrix is {} x {}, its names say {} x {}", matrix_.rows, matrix_.cols, rows(), cols()));
    }
  }
  if (next_row_ >= rows()) return false;
  const std::int64_t count = std::min(std::max<std::int64_t>(max_rows, 1), rows() - next_row_);
  const auto first = matrix_.row_begin.begin() + next_row_;
  const std::int64_t begin = *first;
  const std::int64_t end = *(first + count);
  block.rows = count;
  block.cols = matrix_.cols;
  block.row_begin.assign(first, first + count + 1);
  for (std::int64_t& offset : block.row_begin) offset -= begin;
  block.column.assign(matrix_.column.begin() + begin, matrix_.column.begin() + end);
  block.value.assign(matrix_.value.begin() + begin, matrix_.value.begin() + end);
  next_row_ += count;
  return true;
}

void tidy_rows(CsrMatrix& matrix) {
  std::vector<std::pair<std::int32_t, float>> row;
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const std::int64_t begin = matrix.row_begin[static_cast<std::size_t>(i)];
    const std::int64_t end = matrix.row_begin[static_cast<std::size_t>(i) + 1];
    row.clear();
    for (std::int64_t at = begin; at < end; ++at) {
      row.emplace_back(matrix.column[static_cast<std::size_t>(at)], matrix.value[static_cast<std::size_t>(at)]);
    }
    const auto by_column = [](const auto& a, const auto& b) { return a.first < b.first; };
    if (!std::is_sorted(row.begin(), row.end(), by_column)) std::stable_sort(row.begin(), row.end(), by_column);
    matrix.row_begin[static_cast<std::size_t>(i)] = kept;
    for (std::size_t at = 0; at < row.size();) {
      float sum = row[at].second;
      std::size_t stop = at + 1;
      for (; stop < row.size() && row[stop].first == row[at].first; ++stop) sum += row[stop].second;
      if (sum != 0.0f) {
        matrix.column[static_cast<std::size_t>(kept)] = row[at].first;
        matrix.value[static_cast<std::size_t>(kept)] = sum;
        ++kept;
      }
      at = stop;
    }
  }
  matrix.row_begin.back() = kept;
  matrix.column.resize(static_cast<std::size_t>(kept));
  matrix.value.resize(static_cast<std::size_t>(kept));
}

}  // namespace genexx

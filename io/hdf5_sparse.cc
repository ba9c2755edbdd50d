// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_sparse.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kBatch = std::int64_t{1} << 15;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Unsigned numbers beyond the largest signed one are read as that.
std::string integer_text(std::int64_t value) {
  return fmt::format("{}{}", value, value == std::numeric_limits<std::int64_t>::max() ? " or more" : "");
}

std::vector<std::int64_t> read_offsets(const Node& group, const SparseLayout& layout, std::int64_t stored) {
  const Node node = group.open_dataset("indptr");
  const DatasetInfo info = readable_dataset(node);
  if (info.elements() != layout.major + 1) {
    node.fail(
        fmt::format("has {} elements, expected {}: one more than the {} rows (columns of a CSC matrix). The file is "
                    "damaged; write it again.",
                    info.elements(), layout.major + 1, layout.major));
  }
  std::vector<std::int64_t> offsets = read_integers(node);
  if (offsets.front() != 0) node.fail(fmt::format("begins with {}, expected 0", offsets.front()));
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) {
      node.fail(
          fmt::format("decreases: element {} is {} after {}. Expected offsets that never decrease; the file is "
                      "damaged, write it again.",
                      i, offsets[i], offsets[i - 1]));
    }
  }
  if (offsets.back() != stored) {
    node.fail(
        fmt::format("ends with {}, expected {}, the length of indices and data. The file is damaged; write it again.",
                    integer_text(offsets.back()), stored));
  }
  return offsets;
}

// Sorts and merges one row in place; returns how many values are left.
std::int64_t canonical_row(std::int32_t* column, float* value, std::int64_t n) {
  std::vector<std::pair<std::int32_t, float>> entries(at(n));
  for (std::int64_t i = 0; i < n; ++i) entries[at(i)] = {column[i], value[i]};
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < entries.size();) {
    double sum = 0.0;
    const std::int32_t c = entries[i].first;
    for (; i < entries.size() && entries[i].first == c; ++i) sum += entries[i].second;
    if (static_cast<float>(sum) == 0.0f) continue;
    column[kept] = c;
    value[kept++] = static_cast<float>(sum);
  }
  return kept;
}

bool is_canonical(const std::int32_t* column, const float* value, std::int64_t n) {
  bool good = n == 0 || value[0] != 0.0f;
  for (std::int64_t i = 1; i < n; ++i) good = good & (column[i] > column[i - 1]) & (value[i] != 0.0f);
  return good;
}

}  // namespace

void make_canonical(CsrMatrix& matrix) {
  std::int64_t kept = 0;
  std::int64_t begin = 0;
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const std::int64_t end = matrix.row_begin[at(row) + 1];
    std::int64_t n = end - begin;
    std::int32_t* column = matrix.column.data() + begin;
    float* value = matrix.value.data() + begin;
    if (!is_canonical(column, value, n)) n = canonical_row(column, value, n);
    if (kept != begin) {
      std::copy(column, column + n, matrix.column.data() + kept);
      std::copy(value, value + n, matrix.value.data() + kept);
    }
    begin = end;
    kept += n;
    matrix.row_begin[at(row) + 1] = kept;
  }
  matrix.column.resize(at(kept));
  matrix.value.resize(at(kept));
}

void copy_rows(const CsrMatrix& from, std::int64_t row, std::int64_t count, CsrMatrix& block) {
  const std::int64_t begin = from.row_begin[at(row)];
  const std::int64_t end = from.row_begin[at(row + count)];
  block.rows = count;
  block.cols = from.cols;
  block.row_begin.resize(at(count) + 1);
  for (std::int64_t i = 0; i <= count; ++i) block.row_begin[at(i)] = from.row_begin[at(row + i)] - begin;
  block.column.assign(from.column.begin() + begin, from.column.begin() + end);
  block.value.assign(from.value.begin() + begin, from.value.begin() + end);
}

SparseVectors::SparseVectors(const Node& group, const SparseLayout& shape)
    : data(group.open_dataset("data"), shape.threads),
      indices(group.open_dataset("indices"), shape.threads),
      layout(shape) {
  if (data.size() != indices.size()) {
    group.fail(
        fmt::format("data has {} elements and indices {}; expected as many. The file is damaged; write it again.",
                    data.size(), indices.size()));
  }
  begin = read_offsets(group, layout, data.size());
}

void SparseVectors::read_indices(std::int64_t first, std::int64_t n, std::int32_t* out) {
  for (std::int64_t done = 0; done < n;) {
    const std::int64_t count = std::min(kBatch, n - done);
    wide_.resize(at(kBatch));
    indices.read(first + done, count, wide_.data());
    bool good = true;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = wide_[at(i)];
      good &= index >= 0 && index < layout.minor;
      out[done + i] = static_cast<std::int32_t>(index);
    }
    if (!good) {
      const auto bad = std::find_if(wide_.begin(), wide_.begin() + count,
                                    [&](std::int64_t index) { return index < 0 || index >= layout.minor; });
      const std::int64_t element = first + done + (bad - wide_.begin());
      const auto owner = std::upper_bound(begin.begin(), begin.end(), element) - begin.begin() - 1;
      indices.dataset().fail(
          fmt::format("element {} (of row {}; of column {} in a CSC matrix) is {}, expected 0 to {}. The "
                      "file is damaged; write it again.",
                      element, owner, owner, integer_text(*bad), layout.minor - 1));
    }
    done += count;
  }
}

CsrRows::CsrRows(const Node& group, const SparseLayout& layout, std::vector<std::int32_t> new_column)
    : vectors_(group, layout), new_column_(std::move(new_column)) {}

void CsrRows::read(std::int64_t row, std::int64_t count, CsrMatrix& block) {
  const std::int64_t begin = vectors_.begin[at(row)];
  const std::int64_t stored = vectors_.begin[at(row + count)] - begin;
  block.rows = count;
  block.cols = vectors_.layout.minor;
  block.row_begin.resize(at(count) + 1);
  for (std::int64_t i = 0; i <= count; ++i) block.row_begin[at(i)] = vectors_.begin[at(row + i)] - begin;
  block.column.resize(at(stored));
  block.value.resize(at(stored));
  vectors_.read_indices(begin, stored, block.column.data());
  vectors_.data.read(begin, stored, block.value.data());
  if (!new_column_.empty()) {
    block.cols = 1 + *std::max_element(new_column_.begin(), new_column_.end());
    for (std::size_t i = 0; i < block.column.size(); ++i) {
      const std::int32_t column = new_column_[at(block.column[i])];
      block.column[i] = std::max(column, 0);
      if (column < 0) block.value[i] = 0.0f;  // make_canonical drops it
    }
  }
  make_canonical(block);
}

CscRows::CscRows(const Node& group, const SparseLayout& layout, std::int64_t rows)
    : vectors_(group, layout), rows_(rows) {}

// Leaves the number of values of row r in row_begin[r + 1].
void CscRows::count_rows() {
  std::vector<std::int32_t> row(at(kBatch));
  const std::int64_t stored = vectors_.stored_values();
  for (std::int64_t first = 0; first < stored; first += kBatch) {
    const std::int64_t n = std::min(kBatch, stored - first);
    vectors_.read_indices(first, n, row.data());
    for (std::int64_t i = 0; i < n; ++i) {
      if (row[at(i)] < rows_) ++matrix_.row_begin[at(row[at(i)]) + 1];
    }
  }
}

void CscRows::transpose() {
  matrix_.rows = rows_;
  matrix_.cols = vectors_.layout.major;
  matrix_.row_begin.assign(at(rows_) + 1, 0);
  count_rows();
  for (std::int64_t r = 0; r < rows_; ++r) matrix_.row_begin[at(r) + 1] += matrix_.row_begin[at(r)];
  matrix_.column.resize(at(matrix_.nnz()));
  matrix_.value.resize(at(matrix_.nnz()));
  std::vector<std::int64_t> place(matrix_.row_begin.begin(), matrix_.row_begin.end() - 1);
  std::vector<std::int32_t> row(at(kBatch));
  std::vector<float> value(at(kBatch));
  std::int64_t column = 0;
  const std::int64_t stored = vectors_.stored_values();
  for (std::int64_t first = 0; first < stored; first += kBatch) {
    const std::int64_t n = std::min(kBatch, stored - first);
    vectors_.read_indices(first, n, row.data());
    vectors_.data.read(first, n, value.data());
    for (std::int64_t i = 0; i < n; ++i) {
      while (first + i >= vectors_.begin[at(column) + 1]) ++column;
      if (row[at(i)] >= rows_) continue;
      const std::int64_t to = place[at(row[at(i)])]++;
      matrix_.column[at(to)] = static_cast<std::int32_t>(column);
      matrix_.value[at(to)] = value[at(i)];
    }
  }
  make_canonical(matrix_);
  ready_ = true;
}

void CscRows::read(std::int64_t row, std::int64_t count, CsrMatrix& block) {
  if (!ready_) transpose();
  copy_rows(matrix_, row, count, block);
}

}  // namespace genexx::hdf5

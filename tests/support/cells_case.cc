// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cells_case.h"

namespace genexx::test {

oracle::CellsCase random_cells(std::int64_t cells, std::int64_t cols, std::int64_t replicas, std::int64_t n,
                               std::uint64_t seed) {
  oracle::CellsCase c;
  c.cells = cells;
  c.cols = cols;
  c.replicas = replicas;
  c.n = n;
  const std::vector<double> keep = random_values(cells * cols, seed, 0, 1);
  const std::vector<double> size = random_values(cells * cols, seed + 1, 0, 40);
  for (std::int64_t i = 0; i < cells * cols; ++i) {
    const std::int64_t column = i % cols;
    double x = keep[static_cast<std::size_t>(i)] < 0.33 ? std::ceil(size[static_cast<std::size_t>(i)]) : 0;
    if (column == 0 && cols > 1) x = 3;
    if (column == 1) x = 0;
    if (column == 2) x = 1e4 + x;
    c.matrix.push_back(x);
  }
  for (const std::int32_t row : random_labels(replicas * n, static_cast<std::int32_t>(cells + 1), seed + 2))
    c.rows.push_back(row - 1);
  c.row_factor = random_values(replicas * cells, seed + 3, 0.5, 2.5);
  return c;
}

oracle::CellsCase replica_of(const oracle::CellsCase& c, std::int64_t k) {
  oracle::CellsCase one = c;
  one.replicas = 1;
  one.rows.assign(c.rows.begin() + k * c.n, c.rows.begin() + (k + 1) * c.n);
  one.row_factor.assign(c.row_factor.begin() + k * c.cells, c.row_factor.begin() + (k + 1) * c.cells);
  return one;
}

DeviceData::DeviceData(Context& ctx, std::int64_t cells, std::int64_t cols, const std::vector<double>& matrix,
                       Form form) {
  data.cols = cols;
  if (form == Form::dense) {
    dense_ = std::make_unique<DeviceArray>(ctx, Shape{cells, cols}, cast<float>(matrix));
    data.dense = *dense_;
    return;
  }
  std::vector<std::int64_t> begin = {0};
  std::vector<std::int32_t> column;
  std::vector<float> value;
  for (std::int64_t i = 0; i < cells * cols; ++i) {
    if (matrix[static_cast<std::size_t>(i)] != 0) {
      column.push_back(static_cast<std::int32_t>(i % cols));
      value.push_back(static_cast<float>(matrix[static_cast<std::size_t>(i)]));
    }
    if ((i + 1) % cols == 0) begin.push_back(static_cast<std::int64_t>(column.size()));
  }
  const Shape nnz = {static_cast<std::int64_t>(column.size())};
  row_begin_ = std::make_unique<DeviceArray>(ctx, Shape{cells + 1}, begin);
  column_ = std::make_unique<DeviceArray>(ctx, nnz, column);
  value_ = std::make_unique<DeviceArray>(ctx, nnz, value);
  data.row_begin = *row_begin_;
  data.column = *column_;
  data.value = *value_;
}

}  // namespace genexx::test

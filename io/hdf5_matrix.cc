// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_matrix.h"

#include <algorithm>

#include <fmt/format.h>

namespace genexx::hdf5 {

Hdf5Matrix::Hdf5Matrix(Annotations annotations, RowReader reader)
    : MatrixSource(std::move(annotations)), reader_(std::move(reader)) {}

bool Hdf5Matrix::next(CsrMatrix& block, std::int64_t max_rows) {
  const std::int64_t count = std::min(max_rows, rows() - row_);
  if (count <= 0) return false;
  std::visit([&](auto& reader) { reader.read(row_, count, block); }, reader_);
  block.cols = cols();
  row_ += count;
  return true;
}

std::vector<std::string> numbered_names(const std::string& prefix, std::int64_t count) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}{}", prefix, i));
  return names;
}

}  // namespace genexx::hdf5

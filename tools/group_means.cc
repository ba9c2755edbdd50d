// SPDX-License-Identifier: Apache-2.0
#include "tools/group_means.h"

#include "engine/error.h"
#include "models/class_codes.h"
#include "models/transbrain/region_names.h"
#include "tools/dataset.h"

namespace genexx::tools {

Groups groups_of(const MatrixSource& source, const std::string& column) {
  std::vector<std::string> labels = labels_of(source, column, {});
  if (column == transbrain::kRegionColumn)
    for (std::string& label : labels) label = transbrain::region_of(label);
  ClassCodes codes = encode_classes(labels);
  if (codes.names.empty()) throw RefusedError("column '" + column + "' is empty, expected the groups to average");
  return {std::move(codes.names), std::move(codes.codes)};
}

GroupMeans::GroupMeans(const Groups& groups, std::int64_t columns)
    : groups_(groups),
      columns_(static_cast<std::size_t>(columns)),
      sum_(groups.names.size() * columns_, 0.0),
      count_(groups.names.size(), 0.0) {}

void GroupMeans::add(const CsrMatrix& rows, std::int64_t first) {
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int32_t group = groups_.of_row[static_cast<std::size_t>(first + i)];
    if (group < 0) continue;
    count_[static_cast<std::size_t>(group)] += 1;
    double* const own = sum_.data() + static_cast<std::size_t>(group) * columns_;
    const auto end = static_cast<std::size_t>(rows.row_begin[static_cast<std::size_t>(i + 1)]);
    for (auto k = static_cast<std::size_t>(rows.row_begin[static_cast<std::size_t>(i)]); k < end; ++k)
      own[rows.column[k]] += rows.value[k];
  }
}

std::vector<double> GroupMeans::values() const {
  std::vector<double> means = sum_;
  for (std::size_t i = 0; i < means.size(); ++i) means[i] /= count_[i / columns_];
  return means;
}

CsrMatrix GroupMeans::matrix() const {
  const std::vector<double> means = values();
  CsrMatrix m;
  m.rows = static_cast<std::int64_t>(count_.size());
  m.cols = static_cast<std::int64_t>(columns_);
  m.row_begin.assign(1, 0);
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (means[i] != 0) {
      m.column.push_back(static_cast<std::int32_t>(i % columns_));
      m.value.push_back(static_cast<float>(means[i]));
    }
    if ((i + 1) % columns_ == 0) m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
  }
  return m;
}

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
#include "io/file_info.h"

namespace genexx {
namespace {

constexpr std::size_t kMostCategories = 1000;

}  // namespace

void describe_columns(const ObsTable& cells, const ObsTable& genes, FileInfo& info) {
  info.unread_cell_columns.insert(info.unread_cell_columns.end(), cells.unread.begin(), cells.unread.end());
  for (const Column& column : genes.columns) info.gene_columns.push_back(column.name);
  for (const Column& column : cells.columns) {
    info.cell_columns.push_back(column.name);
    const Categorical labels = as_categorical(column);
    if (labels.categories.empty() || labels.categories.size() > kMostCategories) continue;
    const std::vector<std::int64_t> counts = category_counts(labels);
    LabelInfo label;
    label.name = column.name;
    label.missing = row_count(column);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      label.counts.emplace_back(labels.categories[i], counts[i]);
      label.missing -= counts[i];
    }
    info.labels.push_back(std::move(label));
  }
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/cell_types.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/class_codes.h"
#include "models/counted.h"

namespace genexx {
namespace {

std::string type_name(std::span<const std::string> names, std::size_t type) {
  return type < names.size() ? names[type] : "type " + std::to_string(type);
}

}  // namespace

KeptCells keep_large_types(std::span<const std::int32_t> labels, std::span<const std::string> type_names,
                           std::span<const std::int64_t> cells, std::int64_t min_cells) {
  std::vector<std::int64_t> all;
  if (cells.empty()) {
    all.resize(labels.size());
    std::iota(all.begin(), all.end(), 0);
    cells = all;
  }
  std::vector<std::int32_t> own;
  for (const std::int64_t cell : cells) own.push_back(labels[static_cast<std::size_t>(cell)]);
  const std::int32_t most = own.empty() ? -1 : *std::max_element(own.begin(), own.end());
  const std::vector<std::int64_t> size = class_sizes(own, std::int64_t{most} + 1);
  KeptCells kept;
  std::string dropped;
  std::int64_t dropped_types = 0, dropped_cells = 0, unlabelled = static_cast<std::int64_t>(own.size());
  for (std::size_t t = 0; t < size.size(); ++t) {
    unlabelled -= size[t];
    if (size[t] == 0) continue;
    if (size[t] >= min_cells) {
      kept.types.push_back(static_cast<std::int32_t>(t));
      continue;
    }
    ++dropped_types;
    dropped_cells += size[t];
    dropped += fmt::format("{}{} ({})", dropped.empty() ? "" : ", ", type_name(type_names, t), size[t]);
  }
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i] >= 0 && size[static_cast<std::size_t>(own[i])] >= min_cells) kept.cells.push_back(cells[i]);
  if (unlabelled > 0) kept.warnings.push_back("left out " + counted(unlabelled, "cell") + " without a label");
  if (dropped_types > 0)
    kept.warnings.push_back(fmt::format("dropped {} with fewer than {}, {} in all: {}",
                                        counted(dropped_types, "cell type"), counted(min_cells, "cell"),
                                        counted(dropped_cells, "cell"), dropped));
  return kept;
}

std::vector<std::int64_t> cells_with_values(const CsrMatrix& matrix) {
  std::vector<std::int64_t> cells;
  for (std::int64_t i = 0; i < matrix.rows; ++i)
    if (matrix.row_begin[static_cast<std::size_t>(i) + 1] > matrix.row_begin[static_cast<std::size_t>(i)])
      cells.push_back(i);
  return cells;
}

ClassTable make_classes(std::span<const std::string> labels, std::int64_t min_cells,
                        std::span<const std::int64_t> cells) {
  const ClassCodes all = encode_classes(labels);
  KeptCells kept = keep_large_types(all.codes, all.names, cells, min_cells);
  ClassTable table;
  for (const std::int32_t type : kept.types) table.names.push_back(all.names[static_cast<std::size_t>(type)]);
  if (table.names.size() < 2)
    throw RefusedError(fmt::format(
        "training needs at least two classes of {} or more, found {}{}; check --label, or lower select.min_class_cells",
        counted(min_cells, "cell"), table.names.size(), table.names.empty() ? "" : " ('" + table.names[0] + "')"));
  table.codes = encode_with(table.names, labels);
  table.warnings = std::move(kept.warnings);
  const auto left_out = static_cast<std::int64_t>(labels.size() - cells.size());
  if (cells.empty() || left_out == 0) return table;
  std::vector<std::int32_t> codes(labels.size(), -1);
  for (const std::int64_t cell : cells)
    codes[static_cast<std::size_t>(cell)] = table.codes[static_cast<std::size_t>(cell)];
  table.codes = std::move(codes);
  table.warnings.push_back("dropped " + counted(left_out, "cell") + " without any value");
  return table;
}

}  // namespace genexx

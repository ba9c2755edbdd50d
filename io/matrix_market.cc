// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_market.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/chunked_list.h"
#include "io/matrix_market_entries.h"
#include "io/matrix_market_files.h"
#include "io/memory_source.h"

namespace genexx {
namespace {

// What stands in the rows of the file, and which genes and cells are kept.
struct Layout {
  MatrixMarketFiles files;
  MatrixMarketHeader header;
  bool genes_in_rows = true;
  std::string reason;                    // how the orientation was told
  std::int64_t cells = 0;                // kept
  std::vector<std::int32_t> gene_index;  // file gene -> kept gene or -1
  std::int32_t genes = 0;                // kept
};

struct Entry {
  std::int32_t gene;
  float value;
};

bool tell_orientation(const Layout& layout, const ReadOptions& options, std::int64_t features, std::int64_t barcodes,
                      std::string& reason) {
  if (options.orientation != Orientation::automatic) {
    reason = "as --orientation says";
    return options.orientation == Orientation::genes_rows;
  }
  const MatrixMarketHeader& h = layout.header;
  const auto fits = [&](std::int64_t genes, std::int64_t cells) {
    return (features < 0 || features == genes) && (barcodes < 0 || barcodes == cells);
  };
  if (features < 0 && barcodes < 0) {
    throw InputError(
        fmt::format("{} has no name files beside it, so nothing tells whether its rows are genes or cells; "
                    "give --orientation genes-rows or cells-rows",
                    layout.files.matrix));
  }
  if (fits(h.rows, h.cols)) {
    reason = fmt::format("the name files have {} genes and {} cells", h.rows, h.cols);
    return true;
  }
  if (fits(h.cols, h.rows)) {
    reason = fmt::format("the name files have {} genes and {} cells", h.cols, h.rows);
    return false;
  }
  const std::string names = features < 0   ? fmt::format("{} cells", barcodes)
                            : barcodes < 0 ? fmt::format("{} features", features)
                                           : fmt::format("{} features and {} cells", features, barcodes);
  throw InputError(fmt::format("{} is {} x {}, but the name files beside it have {}; they do not belong together",
                               layout.files.matrix, h.rows, h.cols, names));
}

// A size that no name file confirms is believed only where the bytes of the file could bear it out: memory is never
// sized by an unverified number.
void check_borne_out(const Layout& layout, std::int64_t size) {
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(layout.files.matrix));
  const std::int64_t most = 1000 + 10 * bytes;
  if (size <= most) return;
  throw InputError(
      fmt::format("{} declares {} x {} with {} bytes; without name files at most {} are accepted. Put the "
                  "files of the cells and the genes beside it.",
                  layout.files.matrix, layout.header.rows, layout.header.cols, bytes, most));
}

void check_count(const std::string& path, std::int64_t names, std::int64_t expected) {
  if (path.empty() || names == expected) return;
  throw InputError(
      fmt::format("{} has {} names, the matrix needs {}; check the file or --orientation", path, names, expected));
}

// Keeps the features of the wanted type; sets gene_index, genes and the gene annotations.
void keep_features(const Features& features, std::int64_t file_genes, const ReadOptions& options, Layout& layout,
                   Annotations& annotations) {
  const bool typed = !features.type.empty() && !options.feature_type.empty();
  Strings id, type;
  layout.gene_index.assign(static_cast<std::size_t>(file_genes), -1);
  for (std::size_t i = 0; i < layout.gene_index.size(); ++i) {
    if (typed && features.type[i] != options.feature_type) continue;
    layout.gene_index[i] = layout.genes++;
    annotations.gene_names.push_back(features.name.empty() ? fmt::format("gene_{}", i) : features.name[i]);
    if (!features.id.empty()) id.push_back(features.id[i]);
    if (!features.type.empty()) type.push_back(features.type[i]);
  }
  if (layout.genes == 0 && typed) {
    const std::set<std::string> types(features.type.begin(), features.type.end());
    throw InputError(fmt::format("{} has no feature of type '{}'; it has: {}", layout.files.features,
                                 options.feature_type, fmt::join(types, ", ")));
  }
  if (!id.empty()) {
    annotations.genes.columns.push_back({"id", std::move(id)});
    annotations.genes.columns.push_back({"name", annotations.gene_names});
  }
  if (!type.empty()) annotations.genes.columns.push_back({"feature_type", std::move(type)});
}

Layout read_layout(const std::string& path, const ReadOptions& options, Annotations& annotations) {
  Layout layout;
  layout.files = find_matrix_market_files(path);
  layout.header = MatrixMarketReader(layout.files.matrix).header();
  const bool has_features = !layout.files.features.empty();
  const bool has_barcodes = !layout.files.barcodes.empty();
  const Features features = has_features ? read_features(layout.files.features) : Features{};
  std::vector<std::string> barcodes = has_barcodes ? read_barcodes(layout.files.barcodes) : std::vector<std::string>{};
  const auto feature_count = has_features ? static_cast<std::int64_t>(features.id.size()) : -1;
  const auto barcode_count = has_barcodes ? static_cast<std::int64_t>(barcodes.size()) : -1;
  layout.genes_in_rows = tell_orientation(layout, options, feature_count, barcode_count, layout.reason);
  const std::int64_t genes = layout.genes_in_rows ? layout.header.rows : layout.header.cols;
  layout.cells = layout.genes_in_rows ? layout.header.cols : layout.header.rows;
  check_count(layout.files.features, feature_count, genes);
  check_count(layout.files.barcodes, barcode_count, layout.cells);
  if (!has_features) check_borne_out(layout, genes);
  if (!has_barcodes) check_borne_out(layout, layout.cells);
  for (std::int64_t i = 0; !has_barcodes && i < layout.cells; ++i) barcodes.push_back(fmt::format("cell_{}", i));
  annotations.cell_names = std::move(barcodes);
  keep_features(features, genes, options, layout, annotations);
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  layout.cells = static_cast<std::int64_t>(annotations.cell_names.size());
  annotations.stored_values = layout.header.entries;
  annotations.description =
      fmt::format("{}; rows are {}: {}", layout.files.matrix, layout.genes_in_rows ? "genes" : "cells", layout.reason);
  return layout;
}

// Reads the next entry that is kept; false at the end.
bool next_kept(MatrixMarketReader& reader, const Layout& layout, std::int64_t& cell, Entry& kept) {
  for (MatrixMarketEntry entry; reader.next(entry);) {
    cell = layout.genes_in_rows ? entry.col : entry.row;
    const std::int64_t gene = layout.genes_in_rows ? entry.row : entry.col;
    const std::int32_t index = layout.gene_index[static_cast<std::size_t>(gene)];
    if (cell >= layout.cells || index < 0) continue;
    kept = {index, entry.value};
    return true;
  }
  return false;
}

// Second pass over a file that is not ordered by cells: every entry goes to its place.
void scatter(MatrixMarketReader& reader, const Layout& layout, CsrMatrix& matrix) {
  std::vector<std::int64_t> place(matrix.row_begin.begin(), matrix.row_begin.end() - 1);
  std::int64_t cell = 0;
  Entry entry = {};
  while (next_kept(reader, layout, cell, entry)) {
    auto& at = place[static_cast<std::size_t>(cell)];
    if (at >= matrix.row_begin[static_cast<std::size_t>(cell) + 1]) {
      reader.text().fail("the file changed while it was read; read it again when it is complete");
    }
    matrix.column[static_cast<std::size_t>(at)] = entry.gene;
    matrix.value[static_cast<std::size_t>(at)] = entry.value;
    ++at;
  }
}

CsrMatrix read_entries(const Layout& layout) {
  MatrixMarketReader reader(layout.files.matrix);
  CsrMatrix matrix;
  matrix.rows = layout.cells;
  matrix.cols = layout.genes;
  matrix.row_begin.assign(static_cast<std::size_t>(layout.cells) + 1, 0);
  ChunkedList<Entry> entries;
  bool ordered = true;
  std::int64_t cell = 0;
  std::int64_t previous = 0;
  Entry entry = {};
  while (next_kept(reader, layout, cell, entry)) {
    ++matrix.row_begin[static_cast<std::size_t>(cell) + 1];
    if (ordered && cell < previous) {
      ordered = false;
      entries.clear();
    }
    previous = cell;
    if (ordered) entries.push_back(entry);
  }
  for (std::size_t i = 1; i < matrix.row_begin.size(); ++i) matrix.row_begin[i] += matrix.row_begin[i - 1];
  matrix.column.resize(static_cast<std::size_t>(matrix.nnz()));
  matrix.value.resize(static_cast<std::size_t>(matrix.nnz()));
  if (ordered) {
    std::size_t at = 0;
    entries.drain([&](const Entry& e) {
      matrix.column[at] = e.gene;
      matrix.value[at] = e.value;
      ++at;
    });
  } else {
    reader.rewind();
    scatter(reader, layout, matrix);
  }
  tidy_rows(matrix);
  return matrix;
}

}  // namespace

std::unique_ptr<MatrixSource> open_matrix_market(const std::string& path, const ReadOptions& options) {
  Annotations annotations;
  Layout layout = read_layout(path, options, annotations);
  return std::make_unique<MemorySource>(std::move(annotations),
                                        [layout = std::move(layout)] { return read_entries(layout); });
}

FileInfo describe_matrix_market(const std::string& path, const ReadOptions& options) {
  Annotations annotations;
  const Layout layout = read_layout(path, options, annotations);
  FileInfo info;
  info.format = FileFormat::matrix_market;
  info.layout = fmt::format("rows are {}: {}", layout.genes_in_rows ? "genes" : "cells", layout.reason);
  for (const std::string& file : {layout.files.matrix, layout.files.features, layout.files.barcodes}) {
    if (!file.empty()) info.bytes += static_cast<std::int64_t>(std::filesystem::file_size(file));
  }
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = layout.cells;
  matrix.cols = layout.genes;
  matrix.stored_values = layout.header.entries;
  matrix.dtype = layout.header.field;
  matrix.storage = "text";
  info.matrices.push_back(std::move(matrix));
  describe_columns(annotations.cells, annotations.genes, info);
  return info;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "io/delimited_text.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/csr_transposer.h"
#include "io/delimited_reader.h"
#include "io/field_text.h"
#include "io/memory_source.h"
#include "io/orientation_evidence.h"

namespace genexx {
namespace {

// Cells in rows: the lines are the blocks, but for the lines without a number.
class DelimitedSource final : public MatrixSource {
 public:
  // `missing`: numbers of the lines to leave out, ascending.
  DelimitedSource(Annotations annotations, DelimitedReader reader, std::vector<std::int64_t> missing)
      : MatrixSource(std::move(annotations)), reader_(std::move(reader)), missing_(std::move(missing)) {}

  bool next(CsrMatrix& block, std::int64_t max_rows) override {
    block.rows = 0;
    block.cols = cols();
    block.row_begin.assign(1, 0);
    block.column.clear();
    block.value.clear();
    const auto take = [&](std::int64_t column, float value) {
      block.column.push_back(static_cast<std::int32_t>(column));
      block.value.push_back(value);
    };
    std::string name;
    const std::int64_t most = std::min(std::max<std::int64_t>(max_rows, 1), rows() - next_row_);
    while (block.rows < most) {
      if (next_missing_ < missing_.size() && missing_[next_missing_] == next_line_) {
        reader_.next_name(name);
        ++next_missing_;
        ++next_line_;
        continue;
      }
      ++next_line_;
      if (!reader_.next_row(name, take)) {
        throw InputError(fmt::format("{} has fewer rows than when it was opened; read it again when it is complete",
                                     reader_.text().path()));
      }
      block.row_begin.push_back(static_cast<std::int64_t>(block.column.size()));
      ++block.rows;
    }
    next_row_ += block.rows;
    return block.rows > 0;
  }

  void rewind() override {
    reader_.rewind();
    next_row_ = next_line_ = 0;
    next_missing_ = 0;
  }

 private:
  DelimitedReader reader_;
  std::vector<std::int64_t> missing_;
  std::int64_t next_row_ = 0, next_line_ = 0;
  std::size_t next_missing_ = 0;
};

std::vector<std::string> read_row_names(DelimitedReader& reader, std::int64_t most) {
  std::vector<std::string> names;
  std::string name;
  while (static_cast<std::int64_t>(names.size()) < most && reader.next_name(name)) names.push_back(name);
  reader.rewind();
  return names;
}

// Names of the first `most` rows that hold a number, and where those without one are.
struct RowNames {
  std::vector<std::string> names, missing_names;
  std::vector<std::int64_t> missing;
};

RowNames read_rows_with_numbers(DelimitedReader& reader, std::int64_t most) {
  RowNames rows;
  std::string name;
  for (std::int64_t line = 0; static_cast<std::int64_t>(rows.names.size()) < most; ++line) {
    const DelimitedReader::RowKind kind = reader.next_kind(name);
    if (kind == DelimitedReader::RowKind::end) break;
    if (kind == DelimitedReader::RowKind::numbers) {
      rows.names.push_back(name);
    } else {
      rows.missing_names.push_back(name);
      rows.missing.push_back(line);
    }
  }
  reader.rewind();
  return rows;
}

constexpr std::int64_t kAllRows = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSampleRows = 2000;

// From the names of the first rows where they tell, else from all: a large file is then read once less.
OrientationVerdict verdict_for(DelimitedReader& reader, const ReadOptions& options) {
  if (options.orientation != Orientation::automatic) {
    return {options.orientation == Orientation::genes_rows ? RowsAre::genes : RowsAre::cells, "as --orientation says"};
  }
  std::optional<LabelFile> labels;
  if (options.labels_file) labels = read_label_file(*options.labels_file);
  std::vector<std::string> rows = read_row_names(reader, kSampleRows);
  const TableNames table = {.corner = reader.header().corner,
                            .columns = &reader.header().names,
                            .rows = &rows,
                            .labels = labels ? &*labels : nullptr};
  const bool is_sample = static_cast<std::int64_t>(rows.size()) == kSampleRows;
  OrientationVerdict verdict = is_sample ? tell_orientation_by_names(table) : tell_orientation(table);
  if (verdict.rows_are == RowsAre::unknown && is_sample) {
    rows = read_row_names(reader, kAllRows);
    verdict = tell_orientation(table);
  }
  return verdict;
}

std::string cannot_tell(const DelimitedReader& reader) {
  return fmt::format(
      "{}: nothing tells whether its rows are genes or cells (first column '{}'); give --orientation "
      "genes-rows or cells-rows",
      reader.text().path(), excerpt(reader.header().names.front()));
}

std::string describe_orientation(const OrientationVerdict& verdict) {
  return fmt::format("rows are {}: {}", verdict.rows_are == RowsAre::genes ? "genes" : "cells", verdict.reason);
}

std::unique_ptr<MatrixSource> open_genes_rows(DelimitedReader& reader, const ReadOptions& options,
                                              Annotations annotations) {
  annotations.cell_names = reader.header().names;
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  const auto cells = static_cast<std::int64_t>(annotations.cell_names.size());
  CsrTransposer transposer(cells);
  std::string name;
  const auto take = [&](std::int64_t cell, float value) {
    if (cell < cells) transposer.add(cell, value);
  };
  while (reader.next_row(name, take)) {
    annotations.gene_names.push_back(name);
    transposer.end_gene();
  }
  CsrMatrix matrix = transposer.finish();
  annotations.stored_values = matrix.nnz();
  return std::make_unique<MemorySource>(std::move(annotations),
                                        [held = std::move(matrix)]() mutable { return std::move(held); });
}

}  // namespace

std::unique_ptr<MatrixSource> open_delimited(const std::string& path, const ReadOptions& options) {
  DelimitedReader reader(path);
  const OrientationVerdict verdict = verdict_for(reader, options);
  if (verdict.rows_are == RowsAre::unknown) throw InputError(cannot_tell(reader));
  Annotations annotations;
  annotations.description = fmt::format("{}; {}", path, describe_orientation(verdict));
  if (verdict.rows_are == RowsAre::genes) return open_genes_rows(reader, options, std::move(annotations));
  annotations.gene_names = reader.header().names;
  RowNames rows = read_rows_with_numbers(reader, std::max<std::int64_t>(options.limit_cells.value_or(kAllRows), 0));
  if (rows.names.empty() && !rows.missing.empty())
    throw InputError(
        fmt::format("{}: all {} rows hold nothing but missing values, expected numbers", path, rows.missing.size()));
  annotations.cell_names = std::move(rows.names);
  if (!rows.missing.empty())
    annotations.warnings.push_back(fmt::format(
        "{}: {} of {} rows hold nothing but missing values and are left out, "
        "the first of them '{}'",
        path, rows.missing.size(), rows.missing.size() + annotations.cell_names.size(), rows.missing_names.front()));
  return std::make_unique<DelimitedSource>(std::move(annotations), std::move(reader), std::move(rows.missing));
}

FileInfo describe_delimited(const std::string& path, const ReadOptions& options) {
  DelimitedReader reader(path);
  const OrientationVerdict verdict = verdict_for(reader, options);
  FileInfo info;
  info.format = FileFormat::delimited;
  info.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = static_cast<std::int64_t>(read_row_names(reader, kAllRows).size());
  matrix.cols = static_cast<std::int64_t>(reader.header().names.size());
  matrix.dtype = "text";
  matrix.storage = "text";
  if (verdict.rows_are == RowsAre::unknown) {
    matrix.problem = cannot_tell(reader);
  } else {
    info.layout = describe_orientation(verdict);
  }
  if (verdict.rows_are == RowsAre::genes) std::swap(matrix.rows, matrix.cols);
  info.matrices.push_back(std::move(matrix));
  return info;
}

}  // namespace genexx

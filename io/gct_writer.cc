// SPDX-License-Identifier: Apache-2.0
#include "io/gct_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/cmap_metadata.h"
#include "io/dense_rows.h"
#include "io/field_text.h"

namespace genexx {
namespace {

constexpr std::int64_t kRowsAtOnce = 1024;
constexpr std::int64_t kBytesAtOnce = std::int64_t{16} << 20;

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

std::vector<std::vector<std::string>> texts_of(const ObsTable& table) {
  std::vector<std::vector<std::string>> texts;
  for (const Column& column : table.columns) texts.push_back(cmap_text(column));
  return texts;
}

}  // namespace

GctWriter::GctWriter(const std::string& path, Annotations about)
    : about_(std::move(about)),
      samples_(static_cast<std::int64_t>(about_.cell_names.size())),
      genes_(static_cast<std::int64_t>(about_.gene_names.size())),
      scratch_(directory_of(path)),
      file_(path) {
  expect_ids(path, "column", about_.cell_names);
  expect_ids(path, "row", about_.gene_names);
}

void GctWriter::append(const float* values, std::int64_t rows) {
  if (written_ + rows > samples_)
    throw UsageError(fmt::format("{}: {} rows were appended, expected {}", file_.path(), written_ + rows, samples_));
  std::vector<float> turned(static_cast<std::size_t>(rows * genes_));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t g = 0; g < genes_; ++g) turned[static_cast<std::size_t>(g * rows + r)] = values[r * genes_ + g];
  const std::int64_t offset = written_ * genes_ * static_cast<std::int64_t>(sizeof(float));
  scratch_.write(turned.data(), offset, static_cast<std::int64_t>(turned.size() * sizeof(float)));
  if (rows > 0) panels_.push_back({offset, rows});
  written_ += rows;
}

void GctWriter::append(const CsrMatrix& block) {
  if (block.cols != genes_)
    throw UsageError(fmt::format("{}: a block has {} columns, expected {}", file_.path(), block.cols, genes_));
  append(dense_rows(block).data(), block.rows);
}

void GctWriter::write_head() {
  const std::size_t row_fields = about_.genes.columns.size();
  file_.write(fmt::format("#1.3\n{}\t{}\t{}\t{}\nid", genes_, samples_, row_fields, about_.cells.columns.size()));
  for (const Column& column : about_.genes.columns) file_.write("\t" + one_line(column.name));
  for (const std::string& id : about_.cell_names) file_.write("\t" + one_line(id));
  file_.write("\n");
  for (const Column& column : about_.cells.columns) {
    file_.write(one_line(column.name));
    for (std::size_t i = 0; i < row_fields; ++i) file_.write(std::string("\t") + kCmapMissing);
    for (const std::string& text : cmap_text(column)) file_.write("\t" + one_line(text));
    file_.write("\n");
  }
}

void GctWriter::write_genes(std::int64_t begin, std::int64_t end, const std::vector<std::vector<std::string>>& fields) {
  std::vector<float> values(static_cast<std::size_t>((end - begin) * samples_)), piece;
  std::int64_t first = 0;
  for (const Panel& panel : panels_) {
    piece.resize(static_cast<std::size_t>((end - begin) * panel.rows));
    const auto element = static_cast<std::int64_t>(sizeof(float));
    scratch_.read(piece.data(), panel.offset + begin * panel.rows * element,
                  static_cast<std::int64_t>(piece.size()) * element);
    for (std::int64_t g = 0; g < end - begin; ++g)
      std::copy_n(piece.data() + g * panel.rows, panel.rows, values.data() + g * samples_ + first);
    first += panel.rows;
  }
  fmt::memory_buffer line;
  for (std::int64_t g = begin; g < end; ++g) {
    line.clear();
    fmt::format_to(std::back_inserter(line), "{}", one_line(about_.gene_names[static_cast<std::size_t>(g)]));
    for (const auto& texts : fields)
      fmt::format_to(std::back_inserter(line), "\t{}", one_line(texts[static_cast<std::size_t>(g)]));
    for (std::int64_t s = 0; s < samples_; ++s) {
      const float value = values[static_cast<std::size_t>((g - begin) * samples_ + s)];
      if (value != value) {
        fmt::format_to(std::back_inserter(line), "\tNaN");
      } else {
        fmt::format_to(std::back_inserter(line), "\t{}", value);
      }
    }
    line.push_back('\n');
    file_.write(line.data(), line.size());
  }
}

void GctWriter::commit() {
  if (written_ != samples_)
    throw UsageError(fmt::format("{}: {} rows were appended, expected {}", file_.path(), written_, samples_));
  write_head();
  const std::vector<std::vector<std::string>> fields = texts_of(about_.genes);
  const std::int64_t genes_at_once = std::max<std::int64_t>(
      1, kBytesAtOnce / static_cast<std::int64_t>(sizeof(float)) / std::max<std::int64_t>(1, samples_));
  for (std::int64_t begin = 0; begin < genes_; begin += genes_at_once)
    write_genes(begin, std::min(genes_, begin + genes_at_once), fields);
  file_.commit();
}

void write_gct(const std::string& path, MatrixSource& source) {
  GctWriter writer(path, {source.cell_names(), source.gene_names(), source.cells(), source.genes()});
  source.rewind();
  CsrMatrix block;
  while (source.next(block, kRowsAtOnce)) writer.append(block);
  writer.commit();
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "io/gct.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/cmap_metadata.h"
#include "io/gene_major_matrix.h"
#include "io/number_text.h"
#include "io/tab_fields.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

constexpr std::size_t kFew = 40;  // characters of a field that a message shows

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields;
  for (TabFields cut(line); !cut.done();) fields.push_back(utf8_text(std::string(cut.next())));
  return fields;
}

struct GctHead {
  std::string version;  // "1.2", "1.3"
  std::int64_t rows = 0, columns = 0, row_fields = 0, column_fields = 0;
  std::vector<std::string> row_field_names, column_ids;
  ObsTable cells;
};

// Reads the two counts of 1.2 or the four of 1.3; line 2 may end in tabs, as spreadsheets write it.
void read_counts(TextReader& text, GctHead& head) {
  std::string_view line;
  if (!text.next(line)) text.fail("the file ends here, expected the counts of rows and columns; fetch it again");
  const std::vector<std::string> fields = split(without_tail(line));
  const std::size_t expected = head.version == "1.2" ? 2 : 4;
  std::vector<std::int64_t> counts;
  for (const std::string& field : fields) {
    std::int64_t count = 0;
    const auto read = std::from_chars(field.data(), field.data() + field.size(), count);
    if (read.ec != std::errc() || read.ptr != field.data() + field.size() || count < 0)
      text.fail(fmt::format("'{}' is not a count; expected {} whole numbers separated by tabs", field.substr(0, kFew),
                            expected));
    counts.push_back(count);
  }
  if (counts.size() != expected)
    text.fail(fmt::format("{} counts, expected {} in version {} (data rows, data columns{})", counts.size(), expected,
                          head.version, expected == 4 ? ", row fields, column fields" : ""));
  if (counts[0] == 0 || counts[1] == 0) text.fail("a table without rows or columns, expected at least one of each");
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (*std::max_element(counts.begin(), counts.end()) > kMost)
    text.fail(fmt::format("a count over {}, which no text table reaches; check the line", kMost));
  head.rows = counts[0];
  head.columns = counts[1];
  head.row_fields = expected == 4 ? counts[2] : 1;  // 1.2: the description
  head.column_fields = expected == 4 ? counts[3] : 0;
}

std::vector<std::string> read_line_of(TextReader& text, const GctHead& head, const char* what) {
  std::string_view line;
  if (!text.next(line)) text.fail(fmt::format("the file ends here, expected {}; fetch it again", what));
  std::vector<std::string> fields = split(line);
  for (const std::string& field : fields) text.check_field(field);
  const std::int64_t expected = 1 + head.row_fields + head.columns;
  const auto found = static_cast<std::int64_t>(fields.size());
  if (found != expected)
    text.fail(fmt::format("{} fields in {}, but line 2 says 1 id, {} fields about rows and {} columns: expected {}",
                          found, what, head.row_fields, head.columns, expected));
  return fields;
}

GctHead read_head(TextReader& text) {
  GctHead head;
  std::string_view line;
  text.next(line);
  head.version = std::string(without_tail(line)).substr(1);
  read_counts(text, head);
  std::vector<std::string> names = read_line_of(text, head, "the header");
  const auto first = names.begin() + 1 + head.row_fields;
  head.row_field_names.assign(names.begin() + 1, first);
  head.column_ids.assign(first, names.end());
  expect_ids(text.path() + ": line 3", "column", head.column_ids);
  for (std::int64_t i = 0; i < head.column_fields; ++i) {
    std::vector<std::string> values = read_line_of(text, head, "a field about the columns");
    const std::string name = values[0];
    values.erase(values.begin(), values.begin() + 1 + head.row_fields);
    head.cells.columns.push_back(cmap_column(name, std::move(values)));
  }
  return head;
}

// The genes as they are read.
struct GctGenes {
  std::vector<std::string> ids;
  std::vector<std::vector<std::string>> fields;  // [row_fields][rows]
  GeneMajorMatrix matrix;
};

[[noreturn]] void fail_value(const TextReader& text, const GctHead& head, std::int64_t column, std::string_view field) {
  text.fail(fmt::format("column {} ('{}'): '{}' is not a number that fits 32 bits; the data block holds numbers only",
                        2 + head.row_fields + column, head.column_ids[static_cast<std::size_t>(column)],
                        field.substr(0, kFew)));
}

// One row of the data block; the cells from genes.matrix.cells on are checked and left out.
void read_gene(const TextReader& text, std::string_view line, const GctHead& head, GctGenes& genes) {
  TabFields fields(line);
  const auto next_text = [&] {
    const std::string_view field = fields.next();
    text.check_field(field);
    return utf8_text(std::string(field));
  };
  genes.ids.push_back(next_text());
  if (genes.ids.back().empty() || genes.ids.back() == kCmapMissing)
    text.fail("the row has no id in its first field; every gene needs one");
  for (std::vector<std::string>& values : genes.fields) values.push_back(fields.done() ? "" : next_text());
  std::int64_t column = 0;
  for (; !fields.done(); ++column) {
    const std::string_view field = fields.next();
    if (column >= head.columns) continue;
    float value = 0;
    if (parse_number(field, value) != NumberField::number) fail_value(text, head, column, field);
    if (value == kCmapMissingNumber) value = std::numeric_limits<float>::quiet_NaN();
    if (column < genes.matrix.cells) genes.matrix.values.push_back(value);
  }
  if (column != head.columns)
    text.fail(fmt::format("{} values, but line 2 says {} columns; every row needs as many", column, head.columns));
}

GctGenes read_genes(TextReader& text, const GctHead& head, std::int64_t cells) {
  GctGenes genes;
  genes.matrix.cells = cells;
  genes.fields.resize(static_cast<std::size_t>(head.row_fields));
  std::string_view line;
  while (text.next(line)) {
    if (without_tail(line).empty()) continue;
    if (static_cast<std::int64_t>(genes.ids.size()) == head.rows)
      text.fail(fmt::format("more rows of data than the {} that line 2 says; correct the count", head.rows));
    read_gene(text, line, head, genes);
  }
  const auto found = static_cast<std::int64_t>(genes.ids.size());
  if (found != head.rows)
    text.fail(fmt::format("the file ends after {} rows of data, line 2 says {}; fetch it again or correct the count",
                          found, head.rows));
  return genes;
}

}  // namespace

std::unique_ptr<MatrixSource> open_gct(const std::string& path, const ReadOptions& options) {
  TextReader text(path);
  GctHead head = read_head(text);
  Annotations annotations;
  annotations.cell_names = head.column_ids;
  annotations.cells = std::move(head.cells);
  annotations.description =
      fmt::format("{} (GCT {}; {} genes x {} cells, transposed)", path, head.version, head.rows, head.columns);
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  GctGenes genes = read_genes(text, head, static_cast<std::int64_t>(annotations.cell_names.size()));
  annotations.gene_names = std::move(genes.ids);
  for (std::size_t i = 0; i < genes.fields.size(); ++i)
    annotations.genes.columns.push_back(cmap_column(head.row_field_names[i], std::move(genes.fields[i])));
  annotations.stored_values = static_cast<std::int64_t>(genes.matrix.values.size());
  return gene_major_source(std::move(annotations), std::move(genes.matrix));
}

FileInfo describe_gct(const std::string& path, const ReadOptions&) {
  TextReader text(path);
  const GctHead head = read_head(text);
  FileInfo info;
  info.format = FileFormat::gct;
  info.layout = "GCT " + head.version;
  info.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = head.columns;
  matrix.cols = head.rows;
  matrix.dtype = "text";
  matrix.storage = "text";
  info.matrices.push_back(std::move(matrix));
  ObsTable genes;
  for (const std::string& name : head.row_field_names) genes.columns.push_back({name, Strings()});
  describe_columns(head.cells, genes, info);
  return info;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "io/geuvadis.h"

#include <array>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/gene_major_matrix.h"
#include "io/number_text.h"
#include "io/tab_fields.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

constexpr std::size_t kGeneFields = 4;  // id and three more, before the values

struct GeuvadisHead {
  std::array<std::string, kGeneFields> names;
  std::vector<std::string> samples;
};

GeuvadisHead read_head(TextReader& text) {
  std::string_view line;
  if (!text.next(line))
    throw InputError(text.path() +
                     ": the file is empty, expected a header line with the sample names from column 5 on");
  GeuvadisHead head;
  TabFields fields(line);
  for (std::size_t i = 0; !fields.done(); ++i) {
    const std::string_view found = fields.next();
    text.check_field(found);
    std::string field = utf8_text(std::string(found));
    if (i < kGeneFields) {
      head.names[i] = std::move(field);
    } else {
      head.samples.push_back(std::move(field));
    }
  }
  if (head.samples.empty())
    text.fail(
        "fewer than five columns separated by tabs; expected gene id, symbol, chromosome, position, then samples");
  return head;
}

struct GeuvadisGenes {
  std::vector<std::string> ids;
  std::array<Strings, kGeneFields - 1> fields;
  GeneMajorMatrix matrix;
};

void read_gene(const TextReader& text, std::string_view line, const GeuvadisHead& head, GeuvadisGenes& genes) {
  TabFields fields(line);
  genes.ids.push_back(utf8_text(std::string(fields.next())));
  if (genes.ids.back().empty()) text.fail("the row has no gene id in its first field; every gene needs one");
  for (Strings& values : genes.fields) values.push_back(fields.done() ? "" : utf8_text(std::string(fields.next())));
  const auto samples = static_cast<std::int64_t>(head.samples.size());
  std::int64_t column = 0;
  for (; !fields.done(); ++column) {
    const std::string_view field = fields.next();
    float value = 0;
    if (column >= samples) continue;
    if (parse_number(field, value) != NumberField::number)
      text.fail(fmt::format("column {} ('{}'): '{}' is not a number that fits 32 bits; values begin in column 5",
                            column + 1 + static_cast<std::int64_t>(kGeneFields),
                            head.samples[static_cast<std::size_t>(column)], field.substr(0, 40)));
    if (column < genes.matrix.cells) genes.matrix.values.push_back(value);
  }
  if (column != samples)
    text.fail(fmt::format("{} values, but the header names {} samples; every row needs as many", column, samples));
}

}  // namespace

bool is_geuvadis_header(std::string_view line) { return line.rfind("TargetID\tGene_Symbol\tChr\tCoord\t", 0) == 0; }

std::unique_ptr<MatrixSource> open_geuvadis(const std::string& path, const ReadOptions& options) {
  TextReader text(path);
  GeuvadisHead head = read_head(text);
  Annotations annotations;
  annotations.cell_names = head.samples;
  annotations.description = path + " (GEUVADIS table; genes in rows, values from column 5, transposed)";
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  GeuvadisGenes genes;
  genes.matrix.cells = static_cast<std::int64_t>(annotations.cell_names.size());
  std::string_view line;
  while (text.next(line))
    if (!line.empty()) read_gene(text, line, head, genes);
  if (genes.ids.empty()) throw InputError(path + ": a header and no rows, expected one row for each gene below it");
  annotations.gene_names = std::move(genes.ids);
  for (std::size_t i = 0; i < genes.fields.size(); ++i)
    annotations.genes.columns.push_back({head.names[i + 1], std::move(genes.fields[i])});
  annotations.stored_values = static_cast<std::int64_t>(genes.matrix.values.size());
  return gene_major_source(std::move(annotations), std::move(genes.matrix));
}

FileInfo describe_geuvadis(const std::string& path, const ReadOptions&) {
  TextReader text(path);
  const GeuvadisHead head = read_head(text);
  FileInfo info;
  info.format = FileFormat::geuvadis;
  info.layout = "values from column 5";
  info.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = static_cast<std::int64_t>(head.samples.size());
  std::string_view line;
  while (text.next(line)) matrix.cols += line.empty() ? 0 : 1;
  matrix.dtype = "text";
  matrix.storage = "text";
  info.matrices.push_back(std::move(matrix));
  info.gene_columns.assign(head.names.begin() + 1, head.names.end());
  return info;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "tools/region_profiles.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/text_columns.h"
#include "models/class_codes.h"
#include "models/transbrain/region_names.h"
#include "tools/group_means.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kBlockRows = 1024;

ReadingOptions of_file(ReadingOptions options, const std::string& path) {
  options.data = path;
  if (options.matrix.empty() && options.input_kind == "auto") options.input_kind = "asis";  // X, scaled or not
  options.limit_cells = 0;
  return options;
}

std::vector<std::string> gene_names_of(const MatrixSource& source, const ReadingOptions& options) {
  const Column* column = options.gene_column.empty() ? source.genes().find(transbrain::kGeneColumn) : nullptr;
  if (!column) return source.gene_names();  // --gene-column was applied by the reader
  const Categorical names = as_categorical(*column);
  std::vector<std::string> out;
  for (const std::int32_t code : names.codes)
    out.push_back(code < 0 ? "" : names.categories[static_cast<std::size_t>(code)]);
  return out;
}

// Which input of the network each column of the file is, -1 for none.
std::vector<std::int32_t> input_of_column(const MatrixSource& source, const ReadingOptions& options,
                                          const std::vector<std::string>& genes) {
  const std::vector<std::string> names = gene_names_of(source, options);
  std::unordered_map<std::string, std::int32_t> place;
  for (std::size_t i = 0; i < genes.size(); ++i) place.emplace(genes[i], static_cast<std::int32_t>(i));
  std::vector<std::int32_t> input(names.size(), -1);
  std::vector<char> found(genes.size(), 0);
  for (std::size_t j = 0; j < names.size(); ++j) {
    const auto at = place.find(names[j]);
    if (at == place.end()) continue;
    if (found[static_cast<std::size_t>(at->second)]++)
      throw RefusedError(
          fmt::format("{}: the gene '{}' is there twice, expected each listed gene once", options.data, names[j]));
    input[j] = at->second;
  }
  const auto missing = std::count(found.begin(), found.end(), 0);
  if (missing == 0) return input;
  const auto first = static_cast<std::size_t>(std::find(found.begin(), found.end(), 0) - found.begin());
  throw RefusedError(
      fmt::format("{}: {} of {} listed genes are missing, the first of them '{}'; the file's genes are "
                  "called like '{}' (another column of names: --gene-column)",
                  options.data, missing, genes.size(), genes[first], names.empty() ? "" : names[0]));
}

// Calls take(row, input, value) for every stored value of a listed gene, after checking it.
template <class Take>
void for_values(MatrixSource& source, const std::vector<std::int32_t>& input, const std::string& path, Take&& take) {
  CsrMatrix block;
  std::int64_t first = 0;
  while (source.next(block, kBlockRows)) {
    for (std::int64_t i = 0; i < block.rows; ++i) {
      const auto end = static_cast<std::size_t>(block.row_begin[static_cast<std::size_t>(i + 1)]);
      for (auto k = static_cast<std::size_t>(block.row_begin[static_cast<std::size_t>(i)]); k < end; ++k) {
        const std::int32_t column = input[static_cast<std::size_t>(block.column[k])];
        if (column < 0) continue;
        if (!std::isfinite(block.value[k]))
          throw RefusedError(fmt::format("{}: row {} (counted from 0), gene '{}' is {}, expected a finite number", path,
                                         first + i, source.gene_names()[static_cast<std::size_t>(block.column[k])],
                                         block.value[k]));
        take(first + i, column, block.value[k]);
      }
    }
    first += block.rows;
  }
}

std::string region_column(const ReadingOptions& options) {
  return options.label_column.empty() ? transbrain::kRegionColumn : options.label_column;
}

// Codes of regions and samples from the names of the rows.
void name_rows(transbrain::RegionProfiles& p, const MatrixSource& source, const ReadingOptions& options,
               std::vector<std::string>& row_names) {
  const bool by_name = options.label_column.empty();
  row_names = labels_of(source, region_column(options), {});
  std::vector<std::string> regions = row_names, samples = row_names;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    if (by_name) regions[i] = transbrain::region_of(row_names[i]);
    const auto& excluded = options.excluded_labels;
    if (regions[i] == "other" || std::find(excluded.begin(), excluded.end(), regions[i]) != excluded.end())
      regions[i].clear();
    if (regions[i].empty() || !options.group_column.empty()) continue;
    if (!by_name || !transbrain::names_a_sample(row_names[i]))
      throw RefusedError(
          fmt::format("{}: row {} (counted from 0) is named '{}', which tells no tissue sample; expected "
                      "REGION_sampleK_... in the column {}, or the samples in a column of their own "
                      "(--group)",
                      options.data, i, row_names[i], transbrain::kRegionColumn));
    samples[i] = transbrain::sample_of(row_names[i]);
  }
  if (!options.group_column.empty()) samples = labels_of(source, options.group_column, {});
  ClassCodes codes = encode_classes(regions);
  p.regions = std::move(codes.codes);
  p.region_names = std::move(codes.names);
  // A sample's number is its own in each region: the same donor may have given several.
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (!samples[i].empty() && !options.group_column.empty()) samples[i] = regions[i] + "\n" + samples[i];
  p.samples = encode_classes(samples).codes;
}

}  // namespace

std::vector<std::string> read_gene_list(const std::string& path) {
  std::vector<std::string> genes = read_text_columns(path, {"genes"})[0];
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < genes.size(); ++i) {
    if (genes[i].empty()) throw RefusedError(fmt::format("{}: gene {} has no name", path, i + 1));
    if (!seen.emplace(genes[i], i).second)
      throw RefusedError(fmt::format("{}: the gene '{}' is listed twice, expected each once", path, genes[i]));
  }
  return genes;
}

TrainingProfiles read_training_profiles(const ReadingOptions& given, const std::vector<std::string>& genes,
                                        Console& console) {
  ReadingOptions options = given;
  if (options.matrix.empty()) options.matrix = "X";  // scaled, even where there is a raw matrix
  TrainingProfiles out;
  MatrixKindReport kind;
  const std::unique_ptr<MatrixSource> source = open_source(options, console, kind);
  out.description = source->description();
  if (kind.kind != MatrixKind::scaled) out.kind = Recipe::InputKind::log_normalized;
  console.say(fmt::format("{}: {} rows, {} genes; {}; {} ({})", options.data, source->rows(), source->cols(),
                          source->description(), name_of(kind.kind), kind.evidence));
  name_rows(out.profiles, *source, options, out.row_names);
  const std::vector<std::int32_t> input = input_of_column(*source, options, genes);
  DenseMatrix& values = out.profiles.values;
  values.rows = source->rows();
  values.cols = static_cast<std::int64_t>(genes.size());
  values.value.assign(static_cast<std::size_t>(values.rows * values.cols), 0.0f);
  for_values(*source, input, options.data, [&](std::int64_t row, std::int32_t column, float value) {
    values.value[static_cast<std::size_t>(row * values.cols + column)] = value;
  });
  return out;
}

transbrain::RegionTable read_region_means(const ReadingOptions& given, const std::string& path,
                                          const std::vector<std::string>& genes, Console& console) {
  const ReadingOptions options = of_file(given, path);
  MatrixKindReport kind;
  const std::unique_ptr<MatrixSource> source = open_source(options, console, kind);
  const std::vector<std::int32_t> input = input_of_column(*source, options, genes);
  Groups groups;
  if (source->cells().columns.empty()) {
    ClassCodes codes = encode_classes(source->cell_names());
    groups = {std::move(codes.names), std::move(codes.codes)};
  } else {
    groups = groups_of(*source, region_column(options));
  }
  transbrain::RegionTable table;
  table.regions = groups.names;
  table.width = static_cast<std::int64_t>(genes.size());
  std::vector<double> count(groups.names.size(), 0.0);
  for (const std::int32_t group : groups.of_row)
    if (group >= 0) count[static_cast<std::size_t>(group)] += 1;
  table.values.assign(count.size() * genes.size(), 0.0);
  for_values(*source, input, path, [&](std::int64_t row, std::int32_t column, float value) {
    const std::int32_t group = groups.of_row[static_cast<std::size_t>(row)];
    if (group >= 0)
      table.values[static_cast<std::size_t>(group) * genes.size() + static_cast<std::size_t>(column)] += value;
  });
  for (std::size_t i = 0; i < table.values.size(); ++i) table.values[i] /= count[i / genes.size()];
  check(table, path);
  console.say(fmt::format("{}: {} rows of {} regions", path, source->rows(), table.regions.size()));
  return table;
}

}  // namespace genexx::tools

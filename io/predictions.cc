// SPDX-License-Identifier: Apache-2.0
#include "io/predictions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/field_text.h"
#include "io/number_text.h"
#include "io/text_reader.h"

namespace genexx {
namespace {

constexpr std::array<std::string_view, 5> kColumns = {"cell", "predicted", "probability", "margin", "true"};
constexpr std::string_view kClassPrefix = "p:";

std::vector<std::string> split_tabs(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const std::size_t tab = line.find('\t');
    fields.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

std::vector<std::string> class_names_of(const TextReader& reader, const std::vector<std::string>& header) {
  const bool starts_right =
      header.size() >= kColumns.size() && std::equal(kColumns.begin(), kColumns.end(), header.begin());
  std::vector<std::string> names;
  for (std::size_t i = kColumns.size(); starts_right && i < header.size(); ++i) {
    if (header[i].compare(0, kClassPrefix.size(), kClassPrefix) != 0) break;
    names.push_back(header[i].substr(kClassPrefix.size()));
  }
  if (!starts_right || names.size() + kColumns.size() != header.size()) {
    reader.fail(
        "expected the columns cell, predicted, probability, margin, true, p:CLASS...; is it a predictions.tsv?");
  }
  return names;
}

}  // namespace

Confidence confidence(std::span<const float> probability) {
  Confidence found;
  float second = 0;
  for (const float p : probability) {
    if (p > found.probability) {
      second = found.probability;
      found.probability = p;
    } else {
      second = std::max(second, p);
    }
  }
  found.margin = found.probability - second;
  return found;
}

PredictionWriter::PredictionWriter(const std::string& path, const std::vector<std::string>& class_names)
    : file_(path), classes_(class_names.size()) {
  std::string header = fmt::format("{}", fmt::join(kColumns, "\t"));
  for (const std::string& name : class_names) header += "\tp:" + one_line(name);
  file_.write(header + "\n");
}

void PredictionWriter::add(const PredictionRow& row) {
  if (row.probability.size() != classes_) {
    throw UsageError(fmt::format("prediction of cell '{}' has {} probabilities, the file has {} classes", row.cell,
                                 row.probability.size(), classes_));
  }
  const Confidence sure = confidence(row.probability);
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "{}\t{}\t{}\t{}\t{}", one_line(row.cell), one_line(row.predicted),
                 sure.probability, sure.margin, one_line(row.truth));
  for (const float p : row.probability) fmt::format_to(std::back_inserter(line), "\t{}", p);
  line.push_back('\n');
  file_.write(line.data(), line.size());
}

Predictions read_predictions(const std::string& path) {
  TextReader reader(path);
  Predictions table;
  std::string_view line;
  if (!reader.next(line)) throw InputError(fmt::format("{} is empty, expected a predictions.tsv", path));
  table.class_names = class_names_of(reader, split_tabs(line));
  while (reader.next(line)) {
    const std::vector<std::string> fields = split_tabs(line);
    if (fields.size() != kColumns.size() + table.class_names.size()) {
      reader.fail(
          fmt::format("{} fields, the header has {}", fields.size(), kColumns.size() + table.class_names.size()));
    }
    table.cells.push_back(fields[0]);
    table.predicted.push_back(fields[1]);
    table.truth.push_back(fields[4]);
    for (std::size_t i = kColumns.size(); i < fields.size(); ++i) {
      float p = 0;
      if (parse_number(fields[i], p) != NumberField::number) {
        reader.fail(fmt::format("column {}: '{}' is not a number", i + 1, fields[i].substr(0, 40)));
      }
      table.probability.push_back(p);
    }
  }
  return table;
}

}  // namespace genexx

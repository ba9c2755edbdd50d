// SPDX-License-Identifier: Apache-2.0
#include "io/labels.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "engine/error.h"
#include "io/number_text.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {

LabelFile read_label_file(const std::string& path) {
  TextReader reader(path);
  LabelFile labels;
  labels.path = path;
  std::unordered_map<std::string, std::size_t> index;
  std::vector<std::string> fields;
  char delimiter = 0;
  for (std::string_view line; reader.next(line);) {
    if (line.empty()) continue;
    if (delimiter == 0) delimiter = line.find('\t') != std::string_view::npos ? '\t' : ',';
    if (!split_fields(line, delimiter, fields)) reader.fail("a quote that is not closed; check the line");
    for (std::string& field : fields) {
      reader.check_field(field);
      field = utf8_text(std::move(field));
    }
    if (fields.size() != 2) {
      reader.fail(fmt::format("{} fields, expected 2: cell, then label, separated by a {}", fields.size(),
                              delimiter == '\t' ? "tab" : "comma"));
    }
    const auto [place, is_new] = index.emplace(fields[0], labels.cell.size());
    if (is_new) {
      labels.cell.push_back(fields[0]);
      labels.label.push_back(fields[1]);
    } else if (labels.label[place->second] != fields[1]) {
      reader.fail(fmt::format("cell '{}' has the label '{}', before it had '{}'; keep one of them", fields[0],
                              fields[1], labels.label[place->second]));
    }
  }
  if (labels.cell.empty()) throw InputError(fmt::format("{} is empty, expected lines of cell TAB label", path));
  return labels;
}

LabelMatch apply_labels(const LabelFile& labels, MatrixSource& source) {
  std::unordered_map<std::string_view, std::size_t> line_of;
  for (std::size_t line = 0; line < labels.cell.size(); ++line) line_of.emplace(labels.cell[line], line);
  std::vector<char> used(labels.cell.size(), 0);
  LabelMatch match;
  Strings column(source.cell_names().size());
  for (std::size_t cell = 0; cell < column.size(); ++cell) {
    const auto found = line_of.find(source.cell_names()[cell]);
    if (found == line_of.end()) {
      ++match.unlabelled;
      continue;
    }
    column[cell] = labels.label[found->second];
    used[found->second] = 1;
    ++match.labelled;
  }
  for (const char mark : used) match.unused += mark == 0;
  if (match.labelled == 0) {
    throw RefusedError(fmt::format(
        "no cell of the matrix is in the label file {}: it names cells like '{}', the matrix like '{}'; check that the "
        "names agree, or give --orientation when genes were taken for cells",
        labels.path, labels.cell.back(), source.cell_names().empty() ? "" : source.cell_names().front()));
  }
  source.set_cell_column({kLabelColumn, std::move(column)});
  return match;
}

LabelMatch apply_labels_file(const std::string& path, MatrixSource& source) {
  return apply_labels(read_label_file(path), source);
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "io/text_columns.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/number_text.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

char find_delimiter(std::string_view header) {
  for (const char candidate : {'\t', ',', ';'})
    if (header.find(candidate) != std::string_view::npos) return candidate;
  return ',';
}

bool next_fields(TextReader& reader, char delimiter, std::vector<std::string>& fields) {
  std::string_view line;
  do {
    if (!reader.next(line)) return false;
  } while (line.empty());
  if (!split_fields(line, delimiter, fields)) reader.fail("a quote that is not closed, or text behind one");
  for (std::string& field : fields) field = utf8_text(std::move(field));
  return true;
}

std::size_t place_of(const TextReader& reader, const std::vector<std::string>& header, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) {
    std::string list;
    for (const std::string& column : header)
      if (!column.empty()) list += (list.empty() ? "" : ", ") + column;
    reader.fail(
        fmt::format("there is no column '{}'; the columns are {}", name, list.empty() ? "without names" : list));
  }
  if (std::find(found + 1, header.end(), name) != header.end())
    reader.fail(fmt::format("the column '{}' is there twice, expected once", name));
  return static_cast<std::size_t>(found - header.begin());
}

}  // namespace

std::vector<std::vector<std::string>> read_text_columns(const std::string& path,
                                                        const std::vector<std::string>& names) {
  TextReader reader(path);
  std::string_view line;
  do {
    if (!reader.next(line)) throw InputError(path + " is empty, expected a header line and rows below it");
  } while (line.empty());
  const char delimiter = find_delimiter(line);
  std::vector<std::string> header, fields;
  if (!split_fields(line, delimiter, header)) reader.fail("a quote that is not closed; check the header");
  std::vector<std::size_t> places;
  for (const std::string& name : names) places.push_back(place_of(reader, header, name));
  std::vector<std::vector<std::string>> columns(names.size());
  while (next_fields(reader, delimiter, fields)) {
    if (fields.size() != header.size())
      reader.fail(fmt::format("{} fields, but the header has {}", fields.size(), header.size()));
    for (std::size_t i = 0; i < places.size(); ++i) columns[i].push_back(fields[places[i]]);
  }
  if (!columns.empty() && columns[0].empty())
    throw InputError(path + " has a header and no rows, expected rows below it");
  return columns;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "io/delimited_reader.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/field_text.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

// The text outside of quotes.
std::string without_quoted(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      out += c;
    }
  }
  return out;
}

char find_delimiter(std::string_view header) {
  for (const std::string& text : {without_quoted(header), std::string(header)}) {
    for (const char candidate : {'\t', ',', ';', ' '}) {
      if (text.find(candidate) != std::string::npos) return candidate;
    }
  }
  return '\t';
}

std::string unquoted(std::string_view field) {
  std::vector<std::string> one;
  if (field.empty() || field.front() != '"' || !split_fields(field, '\0', one)) return std::string(field);
  return one.front();
}

// Numbers with repeats cannot be names: the first line is then data.
bool is_numbers_with_repeats(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  float value = 0;
  for (const std::string& name : names) {
    if (name.empty() || parse_number(name, value) != NumberField::number) return false;
    seen.insert(name);
  }
  return seen.size() < names.size();
}

}  // namespace

DelimitedReader::DelimitedReader(const std::string& path) : text_(path) { read_header(); }

void DelimitedReader::rewind() {
  text_.rewind();
  std::string_view line;
  while (text_.next(line) && (line.empty() || line.front() == '#')) {
  }
  join_quoted(line);
}

DelimitedReader::Quote DelimitedReader::quote_after(std::string_view piece, Quote quote) const {
  for (std::size_t at = 0;;) {
    if (quote == Quote::closed && at < piece.size() && piece[at] == '"') {
      quote = Quote::open;
      ++at;
    }
    while (quote == Quote::open) {
      at = piece.find('"', at);
      if (at == std::string_view::npos) return Quote::open;
      const bool doubled = at + 1 < piece.size() && piece[at + 1] == '"';
      if (!doubled) quote = Quote::closed;
      at += doubled ? 2 : 1;
    }
    at = piece.find(header_.delimiter, at);
    if (at == std::string_view::npos) return Quote::closed;
    ++at;
  }
}

void DelimitedReader::join_quoted(std::string_view& line) {
  if (line.find('"') == std::string_view::npos) return;
  Quote quote = quote_after(line, Quote::closed);
  if (quote == Quote::closed) return;
  const std::int64_t first = text_.line_number();
  joined_.assign(line);
  while (quote == Quote::open) {
    if (static_cast<std::int64_t>(joined_.size()) > kMaximumLineBytes || !text_.next(line))
      throw InputError(fmt::format("{}: line {}: a quote that is not closed; check the line", text_.path(), first));
    joined_ += '\n';
    joined_ += line;
    quote = quote_after(line, quote);
  }
  line = joined_;
}

void DelimitedReader::read_header() {
  std::string_view line;
  do {
    if (!text_.next(line)) {
      throw InputError(fmt::format("{} is empty, expected a header line and rows of numbers", text_.path()));
    }
  } while (line.empty() || line.front() == '#');
  header_.delimiter = find_delimiter(line);
  join_quoted(line);
  split_header(line);
  std::string_view first;
  if (!next_line(first)) {
    throw InputError(fmt::format("{} has a header and no rows, expected rows of numbers below it", text_.path()));
  }
  const std::int64_t fields = count_fields(first);
  const auto in_header = static_cast<std::int64_t>(header_.names.size());
  if (fields == in_header) {
    header_.corner = header_.names.front();
    header_.names.erase(header_.names.begin());
  } else if (fields != in_header + 1) {
    text_.fail(fmt::format("{} fields, but the header has {}; expected the same number, or one more for the row names",
                           fields, in_header));
  }
  if (header_.names.empty()) {
    text_.fail("a single column, expected row names and numbers separated by tabs, commas, semicolons or spaces");
  }
  if (is_numbers_with_repeats(header_.names)) {
    throw InputError(
        fmt::format("{}: the first line is numbers ('{}', '{}', ...), expected a header with the names of "
                    "the genes or the cells; add one",
                    text_.path(), excerpt(header_.names[0]), excerpt(header_.names[1])));
  }
  rewind();
}

void DelimitedReader::split_header(std::string_view line) {
  header_.delimiter = find_delimiter(line);
  if (!split_fields(line, header_.delimiter, header_.names)) text_.fail("a quote that is not closed; check the header");
  for (std::string& name : header_.names) {
    text_.check_field(name);
    name = utf8_text(std::move(name));
  }
  trailing_delimiter_ = header_.names.size() > 1 && header_.names.back().empty();
  if (trailing_delimiter_) header_.names.pop_back();
}

bool DelimitedReader::next_line(std::string_view& line) {
  do {
    if (!text_.next(line)) return false;
  } while (line.empty());
  join_quoted(line);
  if (trailing_delimiter_ && line.back() == header_.delimiter) line.remove_suffix(1);
  return true;
}

bool DelimitedReader::next_name(std::string& name) {
  std::string_view line;
  if (!next_line(line)) return false;
  cut_name(line, name);
  return true;
}

DelimitedReader::RowKind DelimitedReader::next_kind(std::string& name) {
  std::string_view line;
  if (!next_line(line)) return RowKind::end;
  const std::string_view numbers = cut_name(line, name);
  for (std::size_t at = 0; at <= numbers.size();) {
    float value = 0;
    // What is not a number is next_row's to complain about.
    if (parse_number(next_field(numbers, at), value) != NumberField::number || !std::isnan(value))
      return RowKind::numbers;
  }
  return RowKind::missing;
}

std::string_view DelimitedReader::cut_name(std::string_view line, std::string& name) const {
  std::size_t at = 0;
  name = utf8_text(unquoted(next_field(line, at)));
  if (at > line.size()) fail_ragged(0);
  return line.substr(at);
}

std::int64_t DelimitedReader::count_fields(std::string_view line) const {
  std::int64_t fields = 0;
  for (std::size_t at = 0; at <= line.size(); ++fields) next_field(line, at);
  return fields;
}

std::string_view DelimitedReader::next_field(std::string_view line, std::size_t& at) const {
  const std::size_t begin = at;
  std::size_t stop = begin;
  if (begin < line.size() && line[begin] == '"') {
    // A doubled quote inside the field ends one quoted part and starts the next.
    do {
      stop = line.find('"', stop + 1);
      if (stop == std::string_view::npos) text_.fail("a quote that is not closed; check the line");
      ++stop;
    } while (stop < line.size() && line[stop] == '"');
    if (stop < line.size() && line[stop] != header_.delimiter) text_.fail("text after a closing quote; check the line");
  } else {
    stop = std::min(line.find(header_.delimiter, begin), line.size());
  }
  at = stop + 1;
  const std::string_view field = line.substr(begin, stop - begin);
  text_.check_field(field);
  return field;
}

void DelimitedReader::fail_ragged(std::int64_t fields) const {
  text_.fail(fmt::format("{} numbers, but the header names {} columns; every row needs as many", fields,
                         header_.names.size()));
}

void DelimitedReader::fail_number(NumberField what, std::int64_t column, std::string_view field) const {
  const char* const problem = what == NumberField::out_of_range ? "is too large for a 32-bit float" : "is not a number";
  text_.fail(
      fmt::format("column {} ('{}'): '{}' {}; the table must hold numbers behind the row names (labels go into a "
                  "file for --labels)",
                  column + 2, excerpt(header_.names[static_cast<std::size_t>(column)]), excerpt(field), problem));
}

}  // namespace genexx

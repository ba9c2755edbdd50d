// SPDX-License-Identifier: Apache-2.0
// Tables of numbers with a header line and row names, separated by tabs, commas, semicolons or spaces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/number_text.h"
#include "io/text_reader.h"

namespace genexx {

// The header line. `corner` is the field above the row names: "" where it is empty or, as R writes tables, not there.
struct DelimitedHeader {
  char delimiter = ',';
  std::string corner;
  std::vector<std::string> names;  // of the number columns
};

// Reads a table line by line. The delimiter is the first of tab, comma, semicolon, space that the header holds; lines
// that start with # before the header and empty lines are skipped; one delimiter at the end of all lines is allowed. A
// field in quotes may hold delimiters, doubled quotes and line ends.
//
// Throws InputError naming path, line and column for an empty file, a file without numbers, a header that is itself
// numbers with repeats (there is none), a ragged line, an open quote, a field over kMaximumFieldBytes, and text or an
// over-large number.
class DelimitedReader {
 public:
  explicit DelimitedReader(const std::string& path);

  const DelimitedHeader& header() const { return header_; }

  // The next row's name; its numbers are skipped unseen. False at the end.
  bool next_name(std::string& name);

  // The same, and whether the row has any number at all: rows of missing values (NaN, NA, empty) have none.
  enum class RowKind { numbers, missing, end };
  RowKind next_kind(std::string& name);

  // The next row: its name, and visit(column, value) for each number that is not zero (missing ones are NaN).
  template <typename Visit>
  bool next_row(std::string& name, Visit&& visit);

  // Starts again at the first row.
  void rewind();

  const TextReader& text() const { return text_; }

 private:
  void read_header();
  void split_header(std::string_view line);
  bool next_line(std::string_view& line);
  // Whether `piece` of a line ends inside a quoted field, when it begins so.
  enum class Quote { closed, open };
  Quote quote_after(std::string_view piece, Quote quote) const;
  // Adds the lines that a quoted field at the end of `line` goes on in.
  void join_quoted(std::string_view& line);
  std::string_view cut_name(std::string_view line, std::string& name) const;
  std::int64_t count_fields(std::string_view line) const;
  // Cuts the field at `at` off: returns it (with its quotes) and moves `at` behind it.
  std::string_view next_field(std::string_view line, std::size_t& at) const;
  [[noreturn]] void fail_ragged(std::int64_t fields) const;
  [[noreturn]] void fail_number(NumberField what, std::int64_t column, std::string_view field) const;

  TextReader text_;
  DelimitedHeader header_;
  std::string joined_;  // what join_quoted returned
  bool trailing_delimiter_ = false;
};

template <typename Visit>
bool DelimitedReader::next_row(std::string& name, Visit&& visit) {
  std::string_view line;
  if (!next_line(line)) return false;
  const std::string_view numbers = cut_name(line, name);
  const auto columns = static_cast<std::int64_t>(header_.names.size());
  const char delimiter = header_.delimiter;
  std::int64_t column = 0;
  for (std::size_t at = 0; at <= numbers.size(); ++column) {
    const char* p = numbers.data() + at;
    const std::size_t left = numbers.size() - at;
    // Most fields of expression tables are "0" or "0.0": these need no parsing.
    if (left >= 2 && p[0] == '0' && p[1] == delimiter) {
      at += 2;
      continue;
    }
    if (left >= 4 && p[0] == '0' && p[1] == '.' && p[2] == '0' && p[3] == delimiter) {
      at += 4;
      continue;
    }
    const std::string_view field = next_field(numbers, at);
    if (column >= columns) continue;
    float value = 0;
    const NumberField what = parse_number(field, value);
    if (what != NumberField::number) fail_number(what, column, field);
    if (value != 0.0f) visit(column, value);
  }
  if (column != columns) fail_ragged(column);
  return true;
}

}  // namespace genexx

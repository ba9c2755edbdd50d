// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_market_entries.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/number_text.h"

namespace genexx {
namespace {

// Cuts the next word off the front of `line`; empty at its end.
std::string_view next_word(std::string_view& line) {
  const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool parse_whole(std::string_view word, std::int64_t& value) {
  const std::from_chars_result read = std::from_chars(word.data(), word.data() + word.size(), value);
  return read.ec == std::errc() && read.ptr == word.data() + word.size();
}

}  // namespace

MatrixMarketReader::MatrixMarketReader(const std::string& path) : text_(path) { read_header(); }

void MatrixMarketReader::rewind() {
  text_.rewind();
  found_ = 0;
  read_header();
}

void MatrixMarketReader::read_header() {
  std::string_view line;
  if (!text_.next(line)) throw InputError(fmt::format("{} is empty, expected a Matrix Market file", text_.path()));
  read_banner(line);
  while (text_.next(line)) {
    std::string_view rest = line;
    if (next_word(rest).empty() || line[0] == '%') continue;
    return read_sizes(line);
  }
  throw InputError(fmt::format("{} ends before the size line; it is truncated", text_.path()));
}

void MatrixMarketReader::read_banner(std::string_view line) {
  std::vector<std::string> words;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) words.push_back(lower(word));
  if (words.empty() || words[0] != "%%matrixmarket") {
    text_.fail("expected '%%MatrixMarket matrix coordinate integer general'; is this a Matrix Market file?");
  }
  words.resize(5);
  const bool known_field = words[3] == "integer" || words[3] == "real" || words[3] == "pattern";
  if (words[1] != "matrix" || words[2] != "coordinate" || !known_field || words[4] != "general") {
    text_.fail(
        fmt::format("'{} {} {} {}' is not supported, expected 'matrix coordinate integer|real|pattern general'; "
                    "write it in this form",
                    words[1], words[2], words[3], words[4]));
  }
  header_.field = words[3];
}

void MatrixMarketReader::read_sizes(std::string_view line) {
  std::string_view rest = line;
  const bool good = parse_whole(next_word(rest), header_.rows) && parse_whole(next_word(rest), header_.cols) &&
                    parse_whole(next_word(rest), header_.entries) && next_word(rest).empty();
  if (!good) text_.fail(fmt::format("'{}' is not a size line, expected rows, columns, entries", line.substr(0, 80)));
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (header_.rows < 0 || header_.cols < 0 || header_.entries < 0 || header_.rows > kMost || header_.cols > kMost) {
    text_.fail(fmt::format("{} rows, {} columns, {} entries; rows and columns must be from 0 to {}", header_.rows,
                           header_.cols, header_.entries, kMost));
  }
}

bool MatrixMarketReader::next(MatrixMarketEntry& entry) {
  std::string_view line;
  std::string_view rest;
  std::string_view first;
  do {
    if (!text_.next(line)) {
      if (found_ == header_.entries) return false;
      throw InputError(fmt::format("{} declares {} entries and holds {}; it is truncated, download or copy it again",
                                   text_.path(), header_.entries, found_));
    }
    rest = line;
    first = next_word(rest);
  } while (first.empty() || first[0] == '%');
  if (++found_ > header_.entries) {
    text_.fail(fmt::format("more entries than the {} that the size line declares", header_.entries));
  }
  std::int64_t row = 0;
  std::int64_t col = 0;
  if (!parse_whole(first, row) || !parse_whole(next_word(rest), col)) {
    text_.fail(
        fmt::format("'{}' does not start with two whole numbers, expected row, column, value", line.substr(0, 80)));
  }
  if (row < 1 || row > header_.rows || col < 1 || col > header_.cols) {
    text_.fail(fmt::format("entry ({}, {}) is outside the {} x {} matrix; indices start at 1", row, col, header_.rows,
                           header_.cols));
  }
  entry = {row - 1, col - 1, 1.0f};
  const std::string_view number = next_word(rest);
  const bool is_pattern = header_.field == "pattern";
  const bool good =
      is_pattern ? number.empty() : !number.empty() && parse_number(number, entry.value) == NumberField::number;
  if (!good || !next_word(rest).empty()) {
    text_.fail(fmt::format("'{}' is not row, column{}", line.substr(0, 80), is_pattern ? "" : " and a number"));
  }
  if (header_.field == "integer" && std::isfinite(entry.value) && entry.value != std::floor(entry.value)) {
    text_.fail(fmt::format("the value '{}' in a file of field 'integer'; expected whole numbers, or the field 'real'",
                           number));
  }
  return true;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// The entries of a Matrix Market coordinate file. Format: NIST, "Matrix Market Exchange Formats", coordinate format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/text_reader.h"

namespace genexx {

struct MatrixMarketHeader {
  std::int64_t rows = 0, cols = 0, entries = 0;
  std::string field;  // "integer", "real", "pattern"
};

// One entry, 0-based. The value of a pattern entry is 1.
struct MatrixMarketEntry {
  std::int64_t row = 0, col = 0;
  float value = 0;
};

// Reads a coordinate file: banner, comments, size line, entries. Throws InputError naming path and line for a wrong
// banner, a kind that is not `coordinate integer|real|pattern general`, a size line that is not three numbers, an index
// out of range, text for a number, and for more or fewer entries than the size line says.
class MatrixMarketReader {
 public:
  explicit MatrixMarketReader(const std::string& path);

  const MatrixMarketHeader& header() const { return header_; }

  // The next entry in file order; false after the last.
  bool next(MatrixMarketEntry& entry);

  // Starts again at the first entry.
  void rewind();

  const TextReader& text() const { return text_; }

 private:
  void read_header();
  void read_banner(std::string_view line);
  void read_sizes(std::string_view line);

  TextReader text_;
  MatrixMarketHeader header_;
  std::int64_t found_ = 0;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Lines of a text file, plain or gzip-compressed, read as a stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace genexx {

// Longest line accepted: a row of a million cells fits.
inline constexpr std::int64_t kMaximumLineBytes = std::int64_t{16} << 20;
// Longest field of a table accepted.
inline constexpr std::int64_t kMaximumFieldBytes = std::int64_t{64} << 10;

// Reads lines of `path`. Compression is told by the content, not by the name; several gzip members in a row are one
// text. A UTF-8 byte order mark is skipped, "\r\n" counts as one line end, and the last line needs none. Memory: one
// buffer of at most kMaximumLineBytes + 1 MB. Not thread-safe.
//
// Throws InputError naming path and line for a missing or unreadable file, a directory, damaged or truncated
// compression, a line over kMaximumLineBytes, a zero byte (a binary file), and UTF-16.
class TextReader {
 public:
  explicit TextReader(std::string path);
  ~TextReader();
  TextReader(TextReader&&) noexcept;
  TextReader& operator=(TextReader&&) noexcept;

  // Sets `line` to the next line without its end; it stays valid until the next call. False at the end of the file.
  bool next(std::string_view& line);

  // Starts again at the first line.
  void rewind();

  // Number of the line returned last, the first being 1; 0 before.
  std::int64_t line_number() const;
  const std::string& path() const;

  // InputError "PATH: line N: MESSAGE" for the line returned last.
  [[noreturn]] void fail(const std::string& message) const;

  // Throws that error when a field of the line returned last is longer than kMaximumFieldBytes.
  void check_field(std::string_view field) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace genexx

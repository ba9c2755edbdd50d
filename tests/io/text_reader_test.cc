// SPDX-License-Identifier: Apache-2.0
#include "io/text_reader.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"

using namespace genexx;

namespace {

void put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string gzip(const std::string& text) {
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::vector<std::string> lines_of(const std::string& path) {
  TextReader reader(path);
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

std::string error_of(const std::string& path) {
  try {
    lines_of(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("text_reader: byte order mark, CRLF, empty lines and a last line without end") {
  test::TemporaryDirectory directory;
  put(directory.file("a.txt"), "\xEF\xBB\xBF" "a\r\n\nb\rc\r\nlast");

  const std::vector<std::string> lines = lines_of(directory.file("a.txt"));

  CHECK(lines == std::vector<std::string>{"a", "", "b\rc", "last"});
}

TEST_CASE("text_reader: gzip is told by content and members are joined") {
  test::TemporaryDirectory directory;
  put(directory.file("a.txt"), gzip("one\ntw") + gzip("o\nthree\n"));

  CHECK(lines_of(directory.file("a.txt")) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("text_reader: lines across buffers keep every byte") {
  test::TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 7; ++i) text += std::string(700'001, static_cast<char>('a' + i)) + "\n";
  put(directory.file("a.gz"), gzip(text));

  const std::vector<std::string> lines = lines_of(directory.file("a.gz"));

  REQUIRE(lines.size() == 7);
  std::string joined;
  for (const std::string& line : lines) joined += line + "\n";
  CHECK(joined == text);
}

TEST_CASE("text_reader: an empty file has no lines") {
  test::TemporaryDirectory directory;
  put(directory.file("a.txt"), "");
  put(directory.file("b.gz"), gzip(""));

  CHECK(lines_of(directory.file("a.txt")).empty());
  CHECK(lines_of(directory.file("b.gz")).empty());
}

TEST_CASE("text_reader: rewind starts again and numbers lines from one") {
  test::TemporaryDirectory directory;
  put(directory.file("a.gz"), gzip("x\ny\n"));
  TextReader reader(directory.file("a.gz"));
  std::string_view line;
  while (reader.next(line)) {
  }
  CHECK(reader.line_number() == 2);

  reader.rewind();

  REQUIRE(reader.next(line));
  CHECK(line == "x");
  CHECK(reader.line_number() == 1);
}

TEST_CASE("text_reader: truncated and damaged compression are errors") {
  test::TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string whole = gzip(text);
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 0x55;  // inside the checksum
  put(directory.file("cut.gz"), whole.substr(0, whole.size() / 2));
  put(directory.file("bad.gz"), damaged);

  CHECK(contains(error_of(directory.file("cut.gz")), "truncated or damaged"));
  CHECK(contains(error_of(directory.file("bad.gz")), "truncated or damaged"));
}

TEST_CASE("text_reader: missing files, directories, binary and UTF-16 are named") {
  test::TemporaryDirectory directory;
  put(directory.file("binary"), std::string("ab\n\0cd", 6));
  put(directory.file("wide"), std::string("\xFF\xFE" "a\0", 4));

  CHECK(contains(error_of(directory.file("none")), "No such file"));
  CHECK(contains(error_of(directory.path()), "is a directory"));
  CHECK(contains(error_of(directory.file("binary")), "binary file"));
  CHECK(contains(error_of(directory.file("wide")), "UTF-16"));
}

TEST_CASE("text_reader: a line over the limit is refused with its number, one at the limit is read") {
  test::TemporaryDirectory directory;
  put(directory.file("long.gz"), gzip("first\n" + std::string(kMaximumLineBytes + 1, 'x') + "\n"));
  put(directory.file("full.gz"), gzip(std::string(kMaximumLineBytes, 'x')));

  CHECK(contains(error_of(directory.file("long.gz")), "line 2: "));
  CHECK(contains(error_of(directory.file("long.gz")), "16777216"));
  CHECK(lines_of(directory.file("full.gz")).size() == 1);
}

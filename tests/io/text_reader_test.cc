// SPDX-License-Identifier: Apache-2.0
#include "io/text_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

std::vector<std::string> lines_of(const std::string& path) {
  TextReader reader(path);
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

std::string error_of(const std::string& path) {
  return message_of<InputError>([&] { lines_of(path); });
}

}  // namespace

TEST_CASE("text_reader: byte order mark, CRLF, empty lines and a last line without end") {
  TemporaryDirectory directory;
  write_text(directory.file("a.txt"),
             "\xEF\xBB\xBF"
             "a\r\n\nb\rc\r\nlast");

  const std::vector<std::string> lines = lines_of(directory.file("a.txt"));

  CHECK(lines == std::vector<std::string>{"a", "", "b\rc", "last"});
}

TEST_CASE("text_reader: gzip is told by content and members are joined") {
  TemporaryDirectory directory;
  write_text(directory.file("a.txt"), gzip("one\ntw") + gzip("o\nthree\n"));

  CHECK(lines_of(directory.file("a.txt")) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("text_reader: lines across buffers keep every byte") {
  TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 7; ++i) text += std::string(700'001, static_cast<char>('a' + i)) + "\n";
  write_text(directory.file("a.gz"), gzip(text));

  const std::vector<std::string> lines = lines_of(directory.file("a.gz"));

  REQUIRE(lines.size() == 7);
  std::string joined;
  for (const std::string& line : lines) joined += line + "\n";
  CHECK(joined == text);
}

TEST_CASE("text_reader: an empty file has no lines") {
  TemporaryDirectory directory;
  write_text(directory.file("a.txt"), "");
  write_text(directory.file("b.gz"), gzip(""));

  CHECK(lines_of(directory.file("a.txt")).empty());
  CHECK(lines_of(directory.file("b.gz")).empty());
}

TEST_CASE("text_reader: rewind starts again and numbers lines from one") {
  TemporaryDirectory directory;
  write_text(directory.file("a.gz"), gzip("x\ny\n"));
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
  TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string whole = gzip(text);
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 0x55;  // inside the checksum
  write_text(directory.file("cut.gz"), whole.substr(0, whole.size() / 2));
  write_text(directory.file("bad.gz"), damaged);

  CHECK(contains(error_of(directory.file("cut.gz")), "truncated or damaged"));
  CHECK(contains(error_of(directory.file("bad.gz")), "truncated or damaged"));
}

TEST_CASE("text_reader: missing files, directories, binary and UTF-16 are named") {
  TemporaryDirectory directory;
  write_text(directory.file("binary"), std::string("ab\n\0cd", 6));
  write_text(directory.file("wide"), std::string("\xFF\xFE"
                                                 "a\0",
                                                 4));

  CHECK(contains(error_of(directory.file("none")), "No such file"));
  CHECK(contains(error_of(directory.path()), "is a directory"));
  CHECK(contains(error_of(directory.file("binary")), "binary file"));
  CHECK(contains(error_of(directory.file("wide")), "UTF-16"));
}

TEST_CASE("text_reader: a line over the limit is refused with its number, one at the limit is read") {
  TemporaryDirectory directory;
  write_text(directory.file("long.gz"), gzip("first\n" + std::string(kMaximumLineBytes + 1, 'x') + "\n"));
  write_text(directory.file("full.gz"), gzip(std::string(kMaximumLineBytes, 'x')));

  CHECK(contains(error_of(directory.file("long.gz")), "line 2: "));
  CHECK(contains(error_of(directory.file("long.gz")), "16777216"));
  CHECK(lines_of(directory.file("full.gz")).size() == 1);
}

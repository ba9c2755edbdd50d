// SPDX-License-Identifier: Apache-2.0
#include "io/npz.h"

#include <cstring>

#include <doctest/doctest.h>
#include <zlib.h>

#include "engine/error.h"
#include "io/npy_header.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

NamedTensor floats(const std::string& name, const std::vector<float>& values) {
  NamedTensor t{name, DType::f32, {static_cast<std::int64_t>(values.size())}, {}};
  t.bytes.resize(values.size() * sizeof(float));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t n = 0;
  std::memcpy(&n, bytes.data() + at, 4);
  return n;
}

std::string written(const std::vector<NamedTensor>& tensors, const std::vector<NpzTexts>& texts) {
  TemporaryDirectory directory;
  write_npz(directory.file("a.npz"), tensors, texts);
  return read_text(directory.file("a.npz"));
}

}  // namespace

TEST_CASE("npz: a member is a whole npy file behind its name, with its CRC-32 and size") {
  const std::string bytes = written({floats("w", {1.5f, -2})}, {});
  const std::string header = npy_header_bytes(DType::f32, {2});

  REQUIRE(bytes.substr(0, 4) == "PK\x03\x04");
  CHECK(bytes.substr(30, 5) == "w.npy");
  const std::string member = bytes.substr(35, header.size() + 8);
  CHECK(member.substr(0, header.size()) == header);
  CHECK(number_at(bytes, 14) ==
        crc32(0, reinterpret_cast<const Bytef*>(member.data()), static_cast<uInt>(member.size())));
  CHECK(number_at(bytes, 22) == member.size());
}

TEST_CASE("npz: the end lists every member and where the list begins") {
  const std::string bytes = written({floats("a", {1}), floats("b", {2})}, {{"names", {"x"}, {1}}});
  const std::string end = bytes.substr(bytes.size() - 22);

  CHECK(end.substr(0, 4) == "PK\x05\x06");
  CHECK(end[10] == 3);
  CHECK(bytes.substr(number_at(end, 16), 4) == "PK\x01\x02");
  CHECK(number_at(end, 16) + number_at(end, 12) == bytes.size() - 22);
}

TEST_CASE("npz: texts are UTF-32 of the longest one's length") {
  const std::string bytes = npy_texts({"a", "βeta"}, {2});

  CHECK(contains(bytes, "'descr': '<U4'"));
  CHECK(contains(bytes, "'shape': (2,)"));
  const std::string items = bytes.substr(bytes.size() - 2 * 4 * 4);
  CHECK(number_at(items, 0) == U'a');
  CHECK(number_at(items, 4) == 0);
  CHECK(number_at(items, 16) == U'β');
  CHECK(number_at(items, 28) == U'a');
}

TEST_CASE("npz: equal names and bytes that do not fit are refused") {
  NamedTensor wrong = floats("w", {1});
  wrong.shape = {3};

  CHECK(contains(message_of<UsageError>([&] { written({floats("w", {1}), floats("w", {2})}, {}); }), "called 'w'"));
  CHECK(contains(message_of<UsageError>([&] { written({wrong}, {}); }), "array 'w'"));
}

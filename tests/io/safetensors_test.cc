// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <cstring>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

template <typename T>
NamedTensor tensor(const std::string& name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  NamedTensor t{name, DTypeOf<T>::value, std::move(shape), {}};
  t.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

SafetensorsFile example() {
  SafetensorsFile file;
  file.tensors.push_back(tensor<float>("a.weight", {2, 3}, {1, -2, 3, 4, 5, 6.5f}));
  file.tensors.push_back(tensor<double>("scalar", {}, {0.1}));
  file.tensors.push_back(tensor<std::int32_t>("empty", {0, 7}, {}));
  file.tensors.push_back(tensor<std::uint8_t>("b", {3}, {1, 2, 3}));
  file.metadata = {{"network", R"({"layers": [1, 2], "name": "β \"x\""})"}, {"version", "1"}};
  return file;
}

// A container with any header over `buffer`.
std::string raw(const std::string& header, const std::string& buffer) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + buffer;
}

// The error for a file of these bytes.
std::string error_of(const std::string& bytes, Checksums checksums = Checksums::if_present) {
  TemporaryDirectory directory;
  write_text(directory.file("m.safetensors"), bytes);
  return message_of<InputError>([&] { read_safetensors(directory.file("m.safetensors"), checksums); });
}

std::string entry(const std::string& shape, std::int64_t begin, std::int64_t end) {
  return fmt::format(R"({{"dtype":"F32","shape":{},"data_offsets":[{},{}]}})", shape, begin, end);
}

std::string bytes_of_example() {
  TemporaryDirectory directory;
  write_safetensors(directory.file("m"), example());
  return read_text(directory.file("m"));
}

}  // namespace

TEST_CASE("safetensors: what is written is read back, order, empty tensors and metadata included") {
  TemporaryDirectory directory;

  write_safetensors(directory.file("m"), example());
  const SafetensorsFile back = read_safetensors(directory.file("m"), Checksums::required);

  const SafetensorsFile wanted = example();
  REQUIRE(back.tensors.size() == 4);
  CHECK(back.metadata == wanted.metadata);
  CHECK(back.tensors[0].name == "a.weight");
  CHECK(back.tensors[0].shape == std::vector<std::int64_t>{2, 3});
  CHECK(back.tensors[0].bytes == wanted.tensors[0].bytes);
  CHECK(back.tensors[1].dtype == DType::f64);
  CHECK(back.tensors[1].shape.empty());
  CHECK(back.tensors[1].bytes == wanted.tensors[1].bytes);
  CHECK(back.tensors[2].bytes.empty());
  CHECK(back.tensors[3].bytes == wanted.tensors[3].bytes);
  CHECK(read_safetensors_metadata(directory.file("m")) == wanted.metadata);
}

TEST_CASE("safetensors: the buffer starts at a multiple of eight bytes") {
  const std::string bytes = bytes_of_example();
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);

  CHECK(length % 8 == 0);
  CHECK(bytes[8] == '{');
  CHECK(bytes.size() == 8 + length + 24 + 8 + 0 + 3);
}

TEST_CASE("safetensors: a plain file of another program is read, and refused where checksums are required") {
  const std::string bytes = raw(R"({"w":)" + entry("[1,2]", 0, 8) + "}  ", std::string(8, '\0'));

  CHECK(error_of(bytes) == "no error");
  CHECK(contains(error_of(bytes, Checksums::required), "has no checksums"));
}

TEST_CASE("safetensors: every truncation is refused") {
  const std::string bytes = bytes_of_example();
  TemporaryDirectory directory;
  std::size_t refused = 0;

  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write_text(directory.file("m"), bytes.substr(0, length));
    refused += message_of<InputError>([&] { read_safetensors(directory.file("m")); }) != "no error";
  }

  CHECK(refused == bytes.size());
}

TEST_CASE("safetensors: one flipped bit in any byte is refused or harmless") {
  const std::string bytes = bytes_of_example();
  TemporaryDirectory directory;
  const SafetensorsFile wanted = example();
  std::size_t wrong = 0;

  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    std::string flipped = bytes;
    flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << (byte * 5 % 8)));
    write_text(directory.file("m"), flipped);
    try {
      const SafetensorsFile back = read_safetensors(directory.file("m"), Checksums::required);
      bool same = back.metadata == wanted.metadata && back.tensors.size() == wanted.tensors.size();
      for (std::size_t i = 0; same && i < back.tensors.size(); ++i) {
        same = back.tensors[i].name == wanted.tensors[i].name && back.tensors[i].shape == wanted.tensors[i].shape &&
               back.tensors[i].dtype == wanted.tensors[i].dtype && back.tensors[i].bytes == wanted.tensors[i].bytes;
      }
      wrong += same ? 0 : 1;
    } catch (const InputError&) {
      continue;
    }
  }

  CHECK(wrong == 0);
}

TEST_CASE("safetensors: a flipped weight is named") {
  std::string bytes = bytes_of_example();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);

  CHECK(contains(error_of(bytes), "tensor 'b' differs from its checksum"));
}

TEST_CASE("safetensors: hostile headers are refused") {
  const std::string none;
  CHECK(contains(error_of(none), "0 bytes are too few"));
  CHECK(contains(error_of(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10)), "at most 16777216 are accepted"));
  CHECK(contains(error_of(std::string("\x00\x01\x00\x00\x00\x00\x00\x00{}", 10)), "256 bytes long, 2 are there"));
  CHECK(contains(error_of(raw("not json", none)), "does not begin with '{'"));
  CHECK(contains(error_of(raw("", none)), "does not begin with '{'"));
  CHECK(contains(error_of(raw("{\"a\":", none)), "not JSON"));
  CHECK(contains(error_of(raw(" {}", none)), "does not begin with '{'"));
  CHECK(contains(error_of(raw("{} x", none)), "not JSON"));
  CHECK(contains(error_of(raw(R"({"a":{"b":{"c":{"d":{"e":{"f":1}}}}}})", none)), "nested too deep"));
  CHECK(contains(error_of(raw(R"({"a":1})", none)), "tensor 'a' lacks dtype"));
  CHECK(contains(error_of(raw(R"({"__metadata__":{"a":1}})", none)), "metadata 'a' is not a string"));
  CHECK(contains(error_of(raw(R"({"__metadata__":[]})", none)), "__metadata__ is not an object"));
}

TEST_CASE("safetensors: repeated keys are refused") {
  const std::string buffer(8, '\0');
  CHECK(contains(error_of(raw(R"({"w":)" + entry("[1]", 0, 4) + R"(,"w":)" + entry("[1]", 4, 8) + "}", buffer)),
                 "the key 'w' twice"));
  CHECK(contains(error_of(raw(R"({"w":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})", buffer)),
                 "the key 'shape' twice"));
}

TEST_CASE("safetensors: offsets must cover the buffer without gap and overlap") {
  const std::string buffer(12, '\0');
  const auto two = [&](std::int64_t begin, std::int64_t end) {
    return error_of(raw(R"({"v":)" + entry("[1]", 0, 4) + R"(,"w":)" + entry("[1]", begin, end) + "}", buffer));
  };
  CHECK(contains(two(8, 12), "tensor 'w' begins at 8, expected 4: the buffer has a gap"));
  CHECK(contains(two(2, 6), "an overlap"));
  CHECK(contains(two(0, 4), "an overlap"));
  CHECK(contains(two(4, 8), "the tensors need 8 bytes, the file has 12"));
  CHECK(contains(two(4, 12), "tensor 'w' has the offsets [4, 12), but its shape [1] of F32 needs 4"));
  CHECK(contains(two(8, 4), "tensor 'w' has the offsets [8, 4)"));
  CHECK(contains(error_of(raw(R"({"v":)" + entry("[4]", 0, 16) + "}", buffer)), "need 16 bytes, the file has 12"));
}

TEST_CASE("safetensors: shapes that overflow, negative numbers and unknown types are refused") {
  const std::string none;
  CHECK(contains(error_of(raw(R"({"v":)" + entry("[4611686018427387904,4]", 0, 0) + "}", none)), "more than any file"));
  CHECK(contains(error_of(raw(R"({"v":)" + entry("[18446744073709551615]", 0, 0) + "}", none)), "whole number from 0"));
  CHECK(contains(error_of(raw(R"({"v":)" + entry("[-1]", 0, 0) + "}", none)), "holds -1, expected a whole number"));
  CHECK(contains(error_of(raw(R"({"v":)" + entry("[1.5]", 0, 0) + "}", none)), "holds 1.5"));
  CHECK(contains(error_of(raw(R"({"v":{"dtype":"F16","shape":[],"data_offsets":[0,2]}})", "ab")), "the type 'F16'"));
}

TEST_CASE("safetensors: the writer refuses what it could not read back") {
  TemporaryDirectory directory;
  const auto error = [&](const SafetensorsFile& file) {
    return message_of<UsageError>([&] { write_safetensors(directory.file("m"), file); });
  };
  SafetensorsFile twice = example();
  twice.tensors[1].name = "a.weight";
  SafetensorsFile short_of_bytes = example();
  short_of_bytes.tensors[0].bytes.pop_back();
  SafetensorsFile reserved = example();
  reserved.tensors[0].name = "__metadata__";
  SafetensorsFile not_text = example();
  not_text.metadata["x"] = "\xFF";
  SafetensorsFile long_header = example();
  long_header.metadata["x"] = std::string(kMaximumSafetensorsHeader, 'x');

  CHECK(contains(error(twice), "used twice"));
  CHECK(contains(error(short_of_bytes), "has 23 bytes, its shape [2, 3] of f32 needs 24"));
  CHECK(contains(error(reserved), "reserved"));
  CHECK(contains(error(not_text), "UTF-8"));
  CHECK(contains(error(long_header), "at most 16777216"));
}

TEST_CASE("safetensors: missing files and directories are input errors") {
  TemporaryDirectory directory;

  CHECK(contains(message_of<InputError>([&] { read_safetensors(directory.file("none")); }), "No such file"));
  CHECK(contains(message_of<InputError>([&] { read_safetensors(directory.path()); }), "is a directory"));
}

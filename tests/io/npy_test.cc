// SPDX-License-Identifier: Apache-2.0
#include "io/npy.h"

#include <cmath>
#include <cstring>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/error.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

// A file of any version around a dictionary and items.
std::string npy(const std::string& dictionary, const std::string& items, int version = 1) {
  std::string text = dictionary;
  const std::size_t begin = version == 1 ? 10 : 12;
  while ((begin + text.size() + 1) % 64 != 0) text.push_back(' ');
  text.push_back('\n');
  std::string bytes("\x93NUMPY");
  bytes +=
      {static_cast<char>(version), '\0', static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + text + items;
}

std::string dictionary(const std::string& descr, const std::string& order, const std::string& shape) {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", descr, order, shape);
}

template <typename T>
std::string items(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T>
std::vector<T> numbers(const NamedTensor& array) {
  REQUIRE(array.dtype == DTypeOf<T>::value);
  std::vector<T> values(array.bytes.size() / sizeof(T));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

NamedTensor read_bytes(const std::string& bytes) {
  TemporaryDirectory directory;
  write_text(directory.file("a.npy"), bytes);
  return read_npy(directory.file("a.npy"));
}

std::vector<float> matrix_of(const std::string& bytes, Orientation orientation) {
  TemporaryDirectory directory;
  write_text(directory.file("a.npy"), bytes);
  return dense(read_all(*open_npy(directory.file("a.npy"), {.orientation = orientation}), 2));
}

std::string error_of(const std::string& bytes) {
  return message_of<InputError>([&] { read_bytes(bytes); });
}

}  // namespace

// Header of numpy.save(numpy.arange(6, dtype='<f4').reshape(2, 3)), NumPy 1.24.
TEST_CASE("npy: the bytes are those NumPy writes") {
  TemporaryDirectory directory;
  NamedTensor array{"", DType::f32, {2, 3}, std::vector<std::byte>(24)};
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  std::memcpy(array.bytes.data(), values.data(), 24);

  write_npy(directory.file("a.npy"), array);

  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string expected =
      std::string("\x93NUMPY\x01\x00v\x00", 10) + header + std::string(117 - header.size(), ' ') + "\n" + items(values);
  CHECK(read_text(directory.file("a.npy")) == expected);
  CHECK(expected.size() == 152);
}

TEST_CASE("npy: every rank and type comes back") {
  TemporaryDirectory directory;
  const NamedTensor scalar{"", DType::f64, {}, std::vector<std::byte>(8, std::byte{7})};
  const NamedTensor vector{"", DType::i64, {3}, std::vector<std::byte>(24, std::byte{1})};
  const NamedTensor cube{"", DType::u8, {2, 3, 4}, std::vector<std::byte>(24, std::byte{9})};
  const NamedTensor empty{"", DType::i32, {0, 5}, {}};
  const auto back = [&](const NamedTensor& array) {
    write_npy(directory.file("a.npy"), array);
    const NamedTensor read = read_npy(directory.file("a.npy"));
    return read.dtype == array.dtype && read.shape == array.shape && read.bytes == array.bytes;
  };

  CHECK(back(scalar));
  CHECK(back(vector));
  CHECK(back(cube));
  CHECK(back(empty));
}

TEST_CASE("npy: versions, key order, quotes and spaces do not matter") {
  const std::string one = items<float>({1, 2});

  CHECK(numbers<float>(read_bytes(npy("{'shape': (2,), 'descr': '<f4', 'fortran_order': False}", one, 1))) ==
        std::vector<float>{1, 2});
  CHECK(numbers<float>(read_bytes(npy("{\"fortran_order\":True,\"shape\":(2L,),\"descr\":\"=f4\",}", one, 2))) ==
        std::vector<float>{1, 2});
  CHECK(numbers<float>(read_bytes(npy(dictionary("<f4", "False", "( 2 , )"), one, 3))) == std::vector<float>{1, 2});
}

TEST_CASE("npy: integer widths, signs and bool") {
  CHECK(numbers<std::int32_t>(read_bytes(npy(dictionary("<i2", "False", "(2,)"), items<std::int16_t>({-3, 300})))) ==
        std::vector<std::int32_t>{-3, 300});
  CHECK(
      numbers<std::int64_t>(read_bytes(npy(dictionary("<u4", "False", "(1,)"), items<std::uint32_t>({4000000000})))) ==
      std::vector<std::int64_t>{4000000000});
  CHECK(numbers<std::uint8_t>(read_bytes(npy(dictionary("|b1", "False", "(2,)"), std::string("\1\0", 2)))) ==
        std::vector<std::uint8_t>{1, 0});
  CHECK(contains(error_of(npy(dictionary("<u8", "False", "(1,)"), std::string(8, '\xFF'))), "over 2^63 - 1"));
}

TEST_CASE("npy: big-endian items") {
  CHECK(numbers<std::int32_t>(read_bytes(npy(dictionary(">i2", "False", "(2,)"), std::string("\0\1\xFF\xFE", 4)))) ==
        std::vector<std::int32_t>{1, -2});
  CHECK(numbers<double>(read_bytes(npy(dictionary(">f8", "False", "()"), std::string("\x3F\xF8\0\0\0\0\0\0", 8)))) ==
        std::vector<double>{1.5});
}

TEST_CASE("npy: Fortran order is turned row-major, three axes included") {
  CHECK(numbers<float>(read_bytes(npy(dictionary("<f4", "True", "(2, 3)"), items<float>({1, 4, 2, 5, 3, 6})))) ==
        std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(numbers<std::uint8_t>(
            read_bytes(npy(dictionary("|u1", "True", "(2, 2, 2)"), std::string("\0\4\2\6\1\5\3\7", 8)))) ==
        std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("npy: matrices in both orders and orientations") {
  const std::string c = npy(dictionary("<f4", "False", "(2, 3)"), items<float>({1, 0, 3, 0, 5, 6}));
  const std::string fortran = npy(dictionary("<i4", "True", "(2, 3)"), items<std::int32_t>({1, 0, 0, 5, 3, 6}));

  CHECK(matrix_of(c, Orientation::automatic) == std::vector<float>{1, 0, 3, 0, 5, 6});
  CHECK(matrix_of(c, Orientation::genes_rows) == std::vector<float>{1, 0, 0, 5, 3, 6});
  CHECK(matrix_of(fortran, Orientation::cells_rows) == std::vector<float>{1, 0, 3, 0, 5, 6});
  CHECK(matrix_of(fortran, Orientation::genes_rows) == std::vector<float>{1, 0, 0, 5, 3, 6});
}

TEST_CASE("npy: a matrix gets names, zeros are dropped, NaN kept, rewind repeats") {
  TemporaryDirectory directory;
  write_text(directory.file("a.npy"), npy(dictionary("<f8", "False", "(3, 2)"), items<double>({0, NAN, 2, 0, 0, 0})));
  const auto source = open_npy(directory.file("a.npy"), {});

  const CsrMatrix once = read_all(*source, 2);
  source->rewind();
  const CsrMatrix again = read_all(*source, 1);

  CHECK(source->cell_names() == std::vector<std::string>{"cell_0", "cell_1", "cell_2"});
  CHECK(source->gene_names() == std::vector<std::string>{"gene_0", "gene_1"});
  CHECK(once.row_begin == std::vector<std::int64_t>{0, 1, 2, 2});
  CHECK(std::isnan(once.value[0]));
  CHECK(once.value[1] == 2.0f);
  CHECK(again.column == once.column);
}

TEST_CASE("npy: the first cells only") {
  TemporaryDirectory directory;
  const std::string bytes = npy(dictionary("<f4", "False", "(2, 3)"), items<float>({1, 0, 3, 0, 5, 6}));
  write_text(directory.file("a.npy"), bytes);
  const ReadOptions by_columns = {.orientation = Orientation::genes_rows, .limit_cells = 2};

  CHECK(dense(read_all(*open_npy(directory.file("a.npy"), {.limit_cells = 1}))) == std::vector<float>{1, 0, 3});
  CHECK(dense(read_all(*open_npy(directory.file("a.npy"), by_columns))) == std::vector<float>{1, 0, 0, 5});
}

TEST_CASE("npy: hostile headers are refused before anything is allocated") {
  const std::string good = npy(dictionary("<f4", "False", "(2,)"), items<float>({1, 2}));
  std::string long_header = good;
  long_header[8] = '\xFF';
  long_header[9] = '\xFF';
  std::string version = good;
  version[6] = 4;

  CHECK(contains(error_of(good.substr(0, 9)), "too few"));
  CHECK(contains(error_of("\x93NUMPX" + good.substr(6)), "does not start as a npy file"));
  CHECK(contains(error_of(version), "version 1 to 3"));
  CHECK(contains(error_of(long_header), "65535 bytes long; at most 10000"));
  CHECK(contains(error_of(good.substr(0, good.size() - 1)), "needs 8 bytes, 7 follow"));
  CHECK(contains(error_of(good + "x"), "needs 8 bytes, 9 follow"));
  CHECK(contains(error_of(npy(dictionary("<f4", "False", "(4611686018427387904, 4)"), "")), "needs too many bytes"));
  CHECK(contains(error_of(npy(dictionary("<f4", "False", "(99999999999999999999,)"), "")), "whole number"));
  CHECK(contains(error_of(npy(dictionary("<f4", "False", "(-1,)"), "")), "whole number"));
}

TEST_CASE("npy: unsupported types are named") {
  CHECK(contains(error_of(npy(dictionary("|O", "False", "(1,)"), "12345678")), "'|O' (Python objects)"));
  CHECK(contains(error_of(npy(dictionary("<f2", "False", "(1,)"), "12")), "'<f2'"));
  CHECK(contains(error_of(npy(dictionary("<c8", "False", "(1,)"), "12345678")), "'<c8'"));
  CHECK(contains(error_of(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")),
                 "structured"));
}

TEST_CASE("npy: malformed dictionaries are refused") {
  const std::string item = items<float>({1});

  CHECK(contains(error_of(npy("not a dictionary", item)), "expected '{'"));
  CHECK(contains(error_of(npy("{'descr': '<f4', 'shape': (1,)}", item)), "is missing"));
  CHECK(
      contains(error_of(npy("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", item)), "'descr' is unknown or there"));
  CHECK(contains(error_of(npy("{'descr': '<f4', 'x': 1}", item)), "'x' is unknown"));
  CHECK(contains(error_of(npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", item)), "True or False"));
  CHECK(contains(error_of(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", item)), "expected the end"));
  CHECK(contains(error_of(npy("{'descr': '<f4", item)), "not closed"));
}

TEST_CASE("npy: only matrices with cells and genes are expression") {
  TemporaryDirectory directory;
  const auto error = [&](const std::string& shape, const std::string& bytes) {
    write_text(directory.file("a.npy"), npy(dictionary("<f4", "False", shape), bytes));
    return message_of<InputError>([&] { open_npy(directory.file("a.npy"), {}); });
  };

  CHECK(contains(error("(2,)", items<float>({1, 2})), "expected a matrix of two dimensions"));
  CHECK(contains(error("(0, 1000000000000)", ""), "expected from 1 to 2147483647"));
}

TEST_CASE("npy: the door of io opens it, and it has one matrix") {
  TemporaryDirectory directory;
  write_text(directory.file("a.npy"), npy(dictionary("<f4", "False", "(1, 2)"), items<float>({1, 2})));

  CHECK(dense(read_all(*open_matrix(directory.file("a.npy")))) == std::vector<float>{1, 2});
  CHECK(describe_file(directory.file("a.npy")).matrices.at(0).dtype == "float32");
  CHECK(contains(message_of<InputError>([&] { open_matrix(directory.file("a.npy"), {.matrix = "raw"}); }),
                 "there is no matrix 'raw'"));
}

TEST_CASE("npy: the writer refuses bf16 and bytes that do not fit") {
  TemporaryDirectory directory;
  const NamedTensor bf16{"", DType::bf16, {1}, std::vector<std::byte>(2)};
  const NamedTensor wrong{"", DType::f32, {3}, std::vector<std::byte>(8)};

  CHECK(contains(message_of<UsageError>([&] { write_npy(directory.file("a"), bf16); }), "no bf16"));
  CHECK(contains(message_of<UsageError>([&] { write_npy(directory.file("a"), wrong); }), "has 8 bytes"));
}

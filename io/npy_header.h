// SPDX-License-Identifier: Apache-2.0
// The header of a NumPy array file. Format: NumPy, lib/format.py, versions 1.0 to 3.0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/named_tensor.h"
#include "io/binary_file.h"

namespace genexx {

// Longest header accepted, as NumPy's own reader has it.
inline constexpr std::int64_t kMaximumNpyHeader = 10000;

enum class NpyKind { boolean, integer, unsigned_integer, real };
enum class NpyOrder { c, fortran };

struct NpyHeader {
  NpyKind kind = NpyKind::real;
  std::int64_t item_bytes = 4;  // 1, 2, 4 or 8
  bool swapped = false;         // big-endian items
  NpyOrder order = NpyOrder::c;
  std::vector<std::int64_t> shape;
  std::int64_t data_begin = 0;  // in the file

  std::int64_t elements() const;
};

// Reads and proves the header: its length before it is read, the dictionary with a tokenizer of our own (nothing is
// evaluated), and that the shape needs exactly the bytes that follow. Types: bool, signed and unsigned integers of 1 to
// 8 bytes, floats of 4 and 8. Throws InputError for anything else, objects included.
NpyHeader read_npy_header(const BinaryFile& file);

// Magic, version 1.0 and dictionary, padded so that data begin at a multiple of 64 bytes. Little-endian, C order.
// Throws UsageError for bf16, which NumPy does not know.
std::string npy_header_bytes(DType dtype, const std::vector<std::int64_t>& shape);

// A whole file of texts (NumPy's "<U", UTF-32, ended by zeros), as many as the shape says; [] is one text. What is not
// UTF-8 is read as Latin-1.
std::string npy_texts(const std::vector<std::string>& texts, const std::vector<std::int64_t>& shape);

// `count` items of the file's type as another type, in file order; `to` may not overlap `items`. Reals become integers
// nowhere: the caller picks a type that holds the file's.
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, float* to);
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, double* to);
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, std::int64_t* to);
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, std::int32_t* to);
void decode_npy(const NpyHeader& header, const char* items, std::int64_t count, std::uint8_t* to);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// The element types of datasets, and turning stored bytes into numbers.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>

namespace genexx::hdf5 {

enum class ElementKind {
  signed_integer,
  unsigned_integer,
  real,
  boolean,  // the enum FALSE = 0, TRUE = 1 over int8 that h5py writes
  fixed_string,
  variable_string,
  compound,
  reference,
  other
};

// A variable-length string in the file: length (4 bytes), address (8) and index (4) of an object in a global heap.
inline constexpr std::int64_t kVariableStringBytes = 16;

struct ElementType {
  ElementKind kind = ElementKind::other;
  std::int64_t size = 0;  // bytes in the file
  bool big_endian = false;

  bool is_integer() const { return kind == ElementKind::signed_integer || kind == ElementKind::unsigned_integer; }
  bool is_number() const { return is_integer() || kind == ElementKind::real || kind == ElementKind::boolean; }
  bool is_string() const { return kind == ElementKind::fixed_string || kind == ElementKind::variable_string; }
};

// Integers of 1, 2, 4, 8 bytes, IEEE reals of 2, 4, 8 bytes, strings, ...; whatever else is `other`.
ElementType element_type(hid_t type);

// "float32", "uint16", "bool", "string", ...
std::string dtype_name(const ElementType& type);

// Elements of one chunk as they lie in memory; see ChunkBytes for `shuffled`.
struct RawElements {
  const std::uint8_t* bytes = nullptr;
  std::int64_t count = 0;  // of the whole chunk
  bool shuffled = false;
};

// Elements [begin, begin + n) of the chunk as T: float, double or std::int64_t. Integers as std::int64_t saturate,
// reals are not turned into integers (the type must be an integer or boolean then).
template <class T>
void decode(const ElementType& type, const RawElements& raw, std::int64_t begin, std::int64_t n, T* out);

extern template void decode(const ElementType&, const RawElements&, std::int64_t, std::int64_t, float*);
extern template void decode(const ElementType&, const RawElements&, std::int64_t, std::int64_t, double*);
extern template void decode(const ElementType&, const RawElements&, std::int64_t, std::int64_t, std::int64_t*);

}  // namespace genexx::hdf5

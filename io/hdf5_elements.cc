// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_elements.h"

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include <fmt/format.h>

#include "io/hdf5.h"

namespace genexx::hdf5 {
namespace {

template <std::size_t Size>
using Word = std::conditional_t<
    Size == 1, std::uint8_t,
    std::conditional_t<Size == 2, std::uint16_t, std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

// An IEEE half, whose bits C++20 has no type for.
struct Half {
  std::uint16_t bits;
};

double value_of(Half half) {
  const int exponent = half.bits >> 10 & 0x1F;
  const double fraction = half.bits & 0x3FF;
  const double sign = half.bits & 0x8000 ? -1.0 : 1.0;
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024.0 + fraction, exponent - 25);
}

template <class T, class Stored>
T convert(Stored stored) {
  if constexpr (std::is_same_v<Stored, Half>) {
    return static_cast<T>(value_of(stored));
  } else if constexpr (std::is_integral_v<T> && std::is_same_v<Stored, std::uint64_t>) {
    return static_cast<T>(std::min<std::uint64_t>(stored, std::numeric_limits<T>::max()));
  } else {
    return static_cast<T>(stored);
  }
}

template <class W>
W swapped(W word) {
  W out = 0;
  for (std::size_t b = 0; b < sizeof(W); ++b)
    out = static_cast<W>(out | ((word >> (8 * b) & 0xFF) << (8 * (sizeof(W) - 1 - b))));
  return out;
}

// Byte b of element i is plane b's byte i; least significant plane first.
template <class T, class Stored>
void decode_planes(const RawElements& raw, bool big_endian, std::int64_t begin, std::int64_t n, T* out) {
  using W = Word<sizeof(Stored)>;
  std::array<const std::uint8_t*, sizeof(Stored)> plane;
  for (std::size_t b = 0; b < sizeof(Stored); ++b) {
    const std::size_t at = big_endian ? sizeof(Stored) - 1 - b : b;
    plane[b] = raw.bytes + static_cast<std::int64_t>(at) * raw.count + begin;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    W word = 0;
    for (std::size_t b = 0; b < sizeof(Stored); ++b) word = static_cast<W>(word | W{plane[b][i]} << (8 * b));
    out[i] = convert<T>(std::bit_cast<Stored>(word));
  }
}

template <class T, class Stored>
void decode_as(const ElementType& type, const RawElements& raw, std::int64_t begin, std::int64_t n, T* out) {
  if (raw.shuffled) return decode_planes<T, Stored>(raw, type.big_endian, begin, n, out);
  const std::uint8_t* bytes = raw.bytes + begin * static_cast<std::int64_t>(sizeof(Stored));
  if (!type.big_endian) {
    for (std::int64_t i = 0; i < n; ++i) {
      Stored stored;
      std::memcpy(&stored, bytes + i * static_cast<std::int64_t>(sizeof(Stored)), sizeof(Stored));
      out[i] = convert<T>(stored);
    }
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    Word<sizeof(Stored)> word;
    std::memcpy(&word, bytes + i * static_cast<std::int64_t>(sizeof(Stored)), sizeof(Stored));
    out[i] = convert<T>(std::bit_cast<Stored>(swapped(word)));
  }
}

bool is_boolean_enum(hid_t type) {
  if (H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
  signed char no = -1;
  signed char yes = -1;
  return H5Tenum_valueof(type, "FALSE", &no) >= 0 && H5Tenum_valueof(type, "TRUE", &yes) >= 0 && no == 0 && yes == 1;
}

// Whole bytes, no padding, a size the decoder knows; reals with the IEEE field widths.
bool is_plain_number(hid_t type, ElementKind kind, std::int64_t size) {
  if (H5Tget_offset(type) != 0 || H5Tget_precision(type) != static_cast<std::size_t>(8 * size)) return false;
  if (kind != ElementKind::real) return size == 1 || size == 2 || size == 4 || size == 8;
  std::size_t sign = 0, exponent_at = 0, exponent_bits = 0, fraction_at = 0, fraction_bits = 0;
  H5Tget_fields(type, &sign, &exponent_at, &exponent_bits, &fraction_at, &fraction_bits);
  return (size == 2 && exponent_bits == 5) || (size == 4 && exponent_bits == 8) || (size == 8 && exponent_bits == 11);
}

ElementKind kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return H5Tget_sign(type) == H5T_SGN_NONE ? ElementKind::unsigned_integer : ElementKind::signed_integer;
    case H5T_FLOAT:
      return ElementKind::real;
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0 ? ElementKind::variable_string : ElementKind::fixed_string;
    case H5T_COMPOUND:
      return ElementKind::compound;
    case H5T_REFERENCE:
      return ElementKind::reference;
    case H5T_ENUM:
      return is_boolean_enum(type) ? ElementKind::boolean : ElementKind::other;
    default:
      return ElementKind::other;
  }
}

}  // namespace

ElementType element_type(hid_t type) {
  const QuietErrors quiet;
  ElementType found{kind_of(type), static_cast<std::int64_t>(H5Tget_size(type)), false};
  if (found.kind == ElementKind::variable_string) found.size = kVariableStringBytes;
  if (found.is_integer() || found.kind == ElementKind::real) {
    if (!is_plain_number(type, found.kind, found.size)) return {ElementKind::other, found.size, false};
    found.big_endian = H5Tget_order(type) == H5T_ORDER_BE;
  }
  return found;
}

std::string dtype_name(const ElementType& type) {
  switch (type.kind) {
    case ElementKind::signed_integer:
      return fmt::format("int{}", 8 * type.size);
    case ElementKind::unsigned_integer:
      return fmt::format("uint{}", 8 * type.size);
    case ElementKind::real:
      return fmt::format("float{}", 8 * type.size);
    case ElementKind::boolean:
      return "bool";
    case ElementKind::fixed_string:
    case ElementKind::variable_string:
      return "string";
    case ElementKind::compound:
      return "compound";
    case ElementKind::reference:
      return "reference";
    case ElementKind::other:
      break;
  }
  return "unknown type";
}

template <class T>
void decode(const ElementType& type, const RawElements& raw, std::int64_t begin, std::int64_t n, T* out) {
  assert(type.is_number() && begin >= 0 && begin + n <= raw.count);
  const bool is_unsigned = type.kind == ElementKind::unsigned_integer;
  if (type.kind == ElementKind::real) {
    if constexpr (!std::is_integral_v<T>) {
      if (type.size == 2) return decode_as<T, Half>(type, raw, begin, n, out);
      if (type.size == 4) return decode_as<T, float>(type, raw, begin, n, out);
      return decode_as<T, double>(type, raw, begin, n, out);
    }
    assert(!"reals are not decoded as integers");
  } else if (type.size == 1) {
    return is_unsigned ? decode_as<T, std::uint8_t>(type, raw, begin, n, out)
                       : decode_as<T, std::int8_t>(type, raw, begin, n, out);
  } else if (type.size == 2) {
    return is_unsigned ? decode_as<T, std::uint16_t>(type, raw, begin, n, out)
                       : decode_as<T, std::int16_t>(type, raw, begin, n, out);
  } else if (type.size == 4) {
    return is_unsigned ? decode_as<T, std::uint32_t>(type, raw, begin, n, out)
                       : decode_as<T, std::int32_t>(type, raw, begin, n, out);
  } else {
    return is_unsigned ? decode_as<T, std::uint64_t>(type, raw, begin, n, out)
                       : decode_as<T, std::int64_t>(type, raw, begin, n, out);
  }
}

template void decode(const ElementType&, const RawElements&, std::int64_t, std::int64_t, float*);
template void decode(const ElementType&, const RawElements&, std::int64_t, std::int64_t, double*);
template void decode(const ElementType&, const RawElements&, std::int64_t, std::int64_t, std::int64_t*);

}  // namespace genexx::hdf5

// SPDX-License-Identifier: Apache-2.0
// The numbers of tensor cores and of narrow storage, as operations on bits: the same on every device.
//   f32    1 sign, 8 exponent, 23 mantissa bits
//   tf32   1 sign, 8 exponent, 10 mantissa bits; held as an f32 whose last 13 bits are zero
//   bf16   1 sign, 8 exponent, 7 mantissa bits: the upper half of an f32
// Subnormal numbers are rounded like all others, and infinities and NaN stay what they are.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/dtype.h"

#if defined(__CUDACC__)
#define GENEXX_FORMAT_FUNCTION __host__ __device__ inline
#else
#define GENEXX_FORMAT_FUNCTION inline
#endif

namespace genexx {

// One bf16 in memory.
struct Bfloat16 {
  std::uint16_t bits;
};

template <>
struct DTypeOf<Bfloat16> {
  static constexpr DType value = DType::bf16;
};

GENEXX_FORMAT_FUNCTION std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

GENEXX_FORMAT_FUNCTION float float_of(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

GENEXX_FORMAT_FUNCTION float to_float(Bfloat16 x) { return float_of(static_cast<std::uint32_t>(x.bits) << 16); }

GENEXX_FORMAT_FUNCTION bool is_nan_bits(std::uint32_t bits) { return (bits & 0x7FFFFFFFu) > 0x7F800000u; }
GENEXX_FORMAT_FUNCTION bool is_finite_bits(std::uint32_t bits) { return (bits & 0x7F800000u) != 0x7F800000u; }

// The nearest number with the last `dropped` bits zero, ties to even. What lies nearer to 2^128 than to the largest
// number becomes infinite. A NaN stays one, quiet.
GENEXX_FORMAT_FUNCTION std::uint32_t rounded_bits(std::uint32_t bits, int dropped) {
  const std::uint32_t unit = 1u << dropped;
  if (is_nan_bits(bits)) return (bits | 0x00400000u) & ~(unit - 1u);
  return (bits + (unit >> 1) - 1u + (bits >> dropped & 1u)) & ~(unit - 1u);
}

GENEXX_FORMAT_FUNCTION float round_to_tf32(float x) { return float_of(rounded_bits(bits_of(x), 13)); }

GENEXX_FORMAT_FUNCTION Bfloat16 round_to_bf16(float x) {
  return {static_cast<std::uint16_t>(rounded_bits(bits_of(x), 16) >> 16)};
}

// Two tf32 numbers whose sum is x to within 2^-22 |x| (2^-149 among the smallest); exactly x where x has at most 22
// significant bits. Of what is not finite, and of what would round to infinity, `high` is the upper bits and `low` the
// rest, or 0.
struct Tf32Pair {
  float high, low;
};

GENEXX_FORMAT_FUNCTION Tf32Pair split_to_tf32(float x) {
  float high = round_to_tf32(x);
  if (!is_finite_bits(bits_of(x))) return {high, 0.0f};
  if (!is_finite_bits(bits_of(high))) high = float_of(bits_of(x) & ~0x1FFFu);
  return {high, round_to_tf32(x - high)};
}

// An f32 as a bf16 near it and what is missing: bits(x) = high * 2^16 + low. `high` is x to nearest; of two equally
// near it is the one of greater magnitude, because the remainder must tell where it came from. Exact for every x but
// NaN, whose payload loses its lowest bits.
struct SplitFloat {
  Bfloat16 high;
  std::int16_t low;
};

GENEXX_FORMAT_FUNCTION SplitFloat split_exactly(float x) {
  std::uint32_t bits = bits_of(x);
  if (is_nan_bits(bits)) bits = (bits | 0x00400000u) & ~0xFFFFu;
  return {{static_cast<std::uint16_t>((bits + 0x8000u) >> 16)},
          static_cast<std::int16_t>(static_cast<std::uint16_t>(bits & 0xFFFFu))};
}

GENEXX_FORMAT_FUNCTION float join(SplitFloat s) {
  return float_of((static_cast<std::uint32_t>(s.high.bits) << 16) +
                  static_cast<std::uint32_t>(static_cast<std::int32_t>(s.low)));
}

// x to one of its two neighbours in bf16, away from zero with a probability of its distance from the other in units of
// theirs: unbiased. `word` holds 16 random bits. A bf16 stays as it is; what is finite stays finite.
GENEXX_FORMAT_FUNCTION Bfloat16 round_stochastically(float x, std::uint32_t word) {
  const std::uint32_t bits = bits_of(x);
  if (is_nan_bits(bits)) return {static_cast<std::uint16_t>((bits | 0x00400000u) >> 16)};
  const std::uint32_t moved = bits + (word & 0xFFFFu);
  const bool overflowed = is_finite_bits(bits) && !is_finite_bits(moved);
  return {static_cast<std::uint16_t>((overflowed ? bits : moved) >> 16)};
}

}  // namespace genexx

#undef GENEXX_FORMAT_FUNCTION

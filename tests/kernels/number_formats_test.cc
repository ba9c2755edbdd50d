// SPDX-License-Identifier: Apache-2.0
#include "kernels/number_formats.h"

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "engine/philox.h"
#include "tests/oracle/operand_forms_oracle.h"

using namespace genexx;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::uint32_t tf32_bits(std::uint32_t bits) { return bits_of(round_to_tf32(float_of(bits))); }
std::uint16_t bf16_bits(std::uint32_t bits) { return round_to_bf16(float_of(bits)).bits; }

// Bit patterns of every exponent and sign, their mantissas drawn.
std::vector<float> numbers_of_every_size() {
  std::vector<float> all;
  for (std::uint32_t upper = 0; upper < 512; ++upper)
    for (std::uint32_t i = 0; i < 8; ++i) {
      const PhiloxCounter c = philox({7, 1}, {upper, i, 0, 0});
      for (const std::uint32_t word : {c.x, c.y, c.z, c.w}) all.push_back(float_of(upper << 23 | word >> 9));
    }
  return all;
}

}  // namespace

TEST_CASE("number_formats: tf32 keeps 10 bits of mantissa, to nearest, ties to even") {
  CHECK(tf32_bits(0x3F800000) == 0x3F800000);  // 1
  CHECK(tf32_bits(0x3F800FFF) == 0x3F800000);  // below half a unit
  CHECK(tf32_bits(0x3F801000) == 0x3F800000);  // half a unit above an even one
  CHECK(tf32_bits(0x3F801001) == 0x3F802000);
  CHECK(tf32_bits(0x3F803000) == 0x3F804000);  // half a unit above an odd one
  CHECK(tf32_bits(0xBF803000) == 0xBF804000);
  CHECK(tf32_bits(0x3FFFF000) == 0x40000000);  // into the next exponent
  CHECK(tf32_bits(0x80000000) == 0x80000000);  // -0
}

TEST_CASE("number_formats: tf32 rounds subnormal numbers, overflows to infinity, leaves infinity and NaN") {
  CHECK(tf32_bits(0x00001000) == 0x00000000);
  CHECK(tf32_bits(0x00001001) == 0x00002000);
  CHECK(tf32_bits(0x007FF000) == 0x00800000);  // the largest subnormal into the least normal
  CHECK(tf32_bits(0x7F7FEFFF) == 0x7F7FE000);
  CHECK(tf32_bits(0x7F7FF000) == 0x7F800000);
  CHECK(tf32_bits(0x7F800000) == 0x7F800000);
  CHECK(tf32_bits(0xFF800000) == 0xFF800000);
  CHECK(tf32_bits(0x7F800001) == 0x7FC00000);  // a NaN whose bits are all among those dropped
  CHECK(tf32_bits(0x7FFFFFFF) == 0x7FFFE000);
}

TEST_CASE("number_formats: bf16 keeps 7 bits of mantissa, to nearest, ties to even") {
  CHECK(bf16_bits(0x3F800000) == 0x3F80);
  CHECK(bf16_bits(0x3F808000) == 0x3F80);
  CHECK(bf16_bits(0x3F808001) == 0x3F81);
  CHECK(bf16_bits(0x3F818000) == 0x3F82);
  CHECK(bf16_bits(0xBF818000) == 0xBF82);
  CHECK(bf16_bits(0x00008000) == 0x0000);
  CHECK(bf16_bits(0x00018000) == 0x0002);
  CHECK(bf16_bits(0x7F7F7FFF) == 0x7F7F);
  CHECK(bf16_bits(0x7F7F8000) == 0x7F80);
  CHECK(bf16_bits(0xFF800000) == 0xFF80);
  CHECK(bf16_bits(0x7F800001) == 0x7FC0);
  CHECK(bf16_bits(0x7FFFFFFF) == 0x7FFF);
  CHECK(to_float({0xC0A0}) == -5.0f);
}

TEST_CASE("number_formats: both agree with rounding by arithmetic, for numbers of every size") {
  for (const float x : numbers_of_every_size()) {
    CAPTURE(bits_of(x));
    if (std::isnan(x)) {
      CHECK(std::isnan(round_to_tf32(x)));
      CHECK(std::isnan(to_float(round_to_bf16(x))));
      continue;
    }
    CHECK(static_cast<double>(round_to_tf32(x)) == oracle::nearest(x, 11));
    CHECK(static_cast<double>(to_float(round_to_bf16(x))) == oracle::nearest(x, 8));
  }
}

TEST_CASE("number_formats: two tf32 numbers hold 22 bits of an f32") {
  const Tf32Pair literal = split_to_tf32(float_of(0x3F801004));  // 1 + 2^-11 + 2^-21
  CHECK(bits_of(literal.high) == 0x3F802000);
  CHECK(bits_of(literal.low) == 0xB9FFC000);  // -(2^-11 - 2^-21)
  CHECK(literal.high + literal.low == float_of(0x3F801004));
  for (const float x : numbers_of_every_size()) {
    if (!std::isfinite(x)) continue;
    CAPTURE(bits_of(x));
    const Tf32Pair pair = split_to_tf32(x);
    const double missing = static_cast<double>(x) - static_cast<double>(pair.high) - static_cast<double>(pair.low);
    CHECK((bits_of(pair.high) & 0x1FFF) == 0);
    CHECK((bits_of(pair.low) & 0x1FFF) == 0);
    // Behind the 22 bits, or behind the last bit of the smallest tf32 numbers.
    CHECK(std::fabs(missing) <= std::fmax(std::fabs(static_cast<double>(x)) * 0x1p-22, 0x1p-137));
  }
}

TEST_CASE("number_formats: what is not finite splits into itself and nothing") {
  CHECK(split_to_tf32(-kInfinity).high == -kInfinity);
  CHECK(split_to_tf32(-kInfinity).low == 0);
  CHECK(std::isnan(split_to_tf32(std::nanf("")).high));
  const Tf32Pair largest = split_to_tf32(std::numeric_limits<float>::max());
  CHECK(bits_of(largest.high) == 0x7F7FE000);  // the nearest is infinite
  CHECK(largest.low == 0x1p117f);
}

TEST_CASE("number_formats: a bf16 and its remainder give back every f32, and the bf16 is a nearest one") {
  const auto check = [](std::uint32_t bits, std::uint16_t high, int low) {
    CAPTURE(bits);
    const SplitFloat s = split_exactly(float_of(bits));
    CHECK(s.high.bits == high);
    CHECK(s.low == low);
    CHECK(bits_of(join(s)) == bits);
  };
  check(0x3F800000, 0x3F80, 0);
  check(0x3F807FFF, 0x3F80, 0x7FFF);
  check(0x3F808000, 0x3F81, -0x8000);  // a tie goes away from zero: from 0x3F80 the remainder would not fit
  check(0x3F818000, 0x3F82, -0x8000);
  check(0xBF80FFFF, 0xBF81, -1);
  check(0x00000001, 0x0000, 1);
  check(0x80000001, 0x8000, 1);
  check(0x7F7FFFFF, 0x7F80, -1);  // the largest f32 is nearest to infinity
  check(0x7F800000, 0x7F80, 0);
  check(0xFF800000, 0xFF80, 0);
  for (const float x : numbers_of_every_size()) {
    CAPTURE(bits_of(x));
    const SplitFloat s = split_exactly(x);
    if (std::isnan(x)) {
      CHECK(std::isnan(to_float(s.high)));
      CHECK(std::isnan(join(s)));
      continue;
    }
    CHECK(bits_of(join(s)) == bits_of(x));
    const double nearest = oracle::nearest(x, 8), high = to_float(s.high);
    if (std::isfinite(nearest))
      CHECK(std::fabs(high - static_cast<double>(x)) == std::fabs(nearest - static_cast<double>(x)));
  }
}

TEST_CASE("number_formats: stochastic rounding goes up for as many words of 2^16 as the dropped half says") {
  for (const std::uint32_t dropped : {0u, 1u, 0x4000u, 0x8000u, 0xFFFFu}) {
    CAPTURE(dropped);
    std::uint32_t up = 0;
    for (std::uint32_t word = 0; word < 0x10000; ++word) {
      const std::uint16_t rounded = round_stochastically(float_of(0xC0490000u | dropped), word).bits;
      const bool one_of_two = rounded == 0xC049 || rounded == 0xC04A;
      REQUIRE(one_of_two);
      up += rounded == 0xC04A;
    }
    CHECK(up == dropped);
  }
}

TEST_CASE("number_formats: stochastic rounding keeps infinity, NaN and what is finite") {
  CHECK(round_stochastically(kInfinity, 0xFFFF).bits == 0x7F80);
  CHECK(round_stochastically(-kInfinity, 0xFFFF).bits == 0xFF80);
  CHECK(round_stochastically(float_of(0x7FFFFFFF), 0xFFFF).bits == 0x7FFF);
  CHECK(round_stochastically(float_of(0x7F800001), 0).bits == 0x7FC0);
  CHECK(round_stochastically(float_of(0x7F7FFFFF), 0xFFFF).bits == 0x7F7F);
  CHECK(round_stochastically(float_of(0x00000001), 0xFFFF).bits == 0x0001);
  CHECK(round_stochastically(0.0f, 0xFFFF).bits == 0x0000);
  CHECK(round_stochastically(float_of(0x3F800001), 0xABC0FFFF).bits == 0x3F81);  // of the word the lower half counts
}

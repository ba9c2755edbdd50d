// SPDX-License-Identifier: Apache-2.0
// Which cell stands at which place of an epoch, by arithmetic alone: no list is kept, no order of calls matters, and
// CPU and CUDA agree bit for bit. Two ways: a shuffle (each cell once) and weighted drawing with replacement.
#pragma once

#include <cstdint>

#include "engine/philox.h"

#if defined(__CUDACC__)
#define GENEXX_SAMPLING_FUNCTION __host__ __device__ inline
#else
#define GENEXX_SAMPLING_FUNCTION inline
#endif

namespace genexx {

// Philox streams of the sampler: far from those of layers, which count from zero.
constexpr std::uint32_t kShuffleStream = 0x73687566u;
constexpr std::uint32_t kWeightedStream = 0x77656967u;

// Half rounds of the shuffle's network, two key words each, and its smallest domain in bits: with halves of under three
// bits the orders of five or six elements come out visibly uneven.
constexpr int kShuffleRounds = 10;
constexpr int kShuffleLeastBits = 6;

// The order of one epoch over [0, count): a keyed bijection, ready to be asked for any place.
struct EpochShuffle {
  std::int64_t count = 0;
  int low_bits = 0, high_bits = 0;  // the network works on low_bits + high_bits, at least enough for count - 1
  std::uint32_t keys[2 * kShuffleRounds] = {};
};

// The shuffle of `count` elements (0 <= count <= 2^62) by key (seed, epoch).
GENEXX_SAMPLING_FUNCTION EpochShuffle epoch_shuffle(std::uint64_t seed, std::int64_t epoch, std::int64_t count) {
  EpochShuffle s;
  s.count = count;
  int bits = kShuffleLeastBits;
  while ((std::int64_t{1} << bits) < count) ++bits;
  s.low_bits = bits - bits / 2;
  s.high_bits = bits / 2;
  const PhiloxKey key = philox_key(seed, kShuffleStream);
  const std::uint64_t e = static_cast<std::uint64_t>(epoch);
  for (std::uint32_t i = 0; i < 2 * kShuffleRounds; i += 4) {
    const PhiloxCounter words = philox(key, {i, 0, static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(e >> 32)});
    s.keys[i] = words.x;
    s.keys[i + 1] = words.y;
    s.keys[i + 2] = words.z;
    s.keys[i + 3] = words.w;
  }
  return s;
}

// A keyed mixing of 32 bits: two of Philox's multiply-and-fold rounds.
GENEXX_SAMPLING_FUNCTION std::uint32_t shuffle_mix(std::uint32_t x, std::uint32_t key0, std::uint32_t key1) {
  const std::uint64_t p = std::uint64_t{0xD2511F53u} * (x ^ key0);
  const std::uint32_t folded = static_cast<std::uint32_t>(p >> 32) ^ static_cast<std::uint32_t>(p) ^ key1;
  const std::uint64_t q = std::uint64_t{0xCD9E8D57u} * folded;
  return static_cast<std::uint32_t>(q >> 32) ^ static_cast<std::uint32_t>(q);
}

// The element at place `index` (0 <= index < s.count) of the epoch. Over all places each element comes once. A Feistel
// network on the next power of two (64 at least), walked again while the result is outside [0, count): under two passes
// on average from 33 elements on.
// Source: Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002, sections 3 and 4; for shuffling on a
// GPU: Mitchell et al., "Bandwidth-optimal random shuffling for GPUs", ACM TOPC 2022, section 3.
GENEXX_SAMPLING_FUNCTION std::int64_t shuffled_index(const EpochShuffle& s, std::int64_t index) {
  const std::uint64_t low_mask = (std::uint64_t{1} << s.low_bits) - 1;
  const std::uint64_t high_mask = (std::uint64_t{1} << s.high_bits) - 1;
  std::int64_t at = index;
  do {
    std::uint32_t low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(at) & low_mask);
    std::uint32_t high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(at) >> s.low_bits);
    for (int round = 0; round < kShuffleRounds; round += 2) {
      high ^= shuffle_mix(low, s.keys[2 * round], s.keys[2 * round + 1]) & static_cast<std::uint32_t>(high_mask);
      low ^= shuffle_mix(high, s.keys[2 * round + 2], s.keys[2 * round + 3]) & static_cast<std::uint32_t>(low_mask);
    }
    at = static_cast<std::int64_t>((std::uint64_t{high} << s.low_bits) | low);
  } while (at >= s.count);
  return at;
}

// floor(word / 2^64 * count): an even choice from [0, count) by 64 random bits.
GENEXX_SAMPLING_FUNCTION std::int64_t scaled_index(std::uint32_t word_high, std::uint32_t word_low,
                                                   std::int64_t count) {
  const std::uint64_t count_low = static_cast<std::uint64_t>(count) & 0xFFFFFFFFu;
  const std::uint64_t count_high = static_cast<std::uint64_t>(count) >> 32;
  const std::uint64_t low = (word_low * count_low) >> 32;
  const std::uint64_t middle_a = word_low * count_high;
  const std::uint64_t middle_b = word_high * count_low;
  const std::uint64_t carry = (low + (middle_a & 0xFFFFFFFFu) + (middle_b & 0xFFFFFFFFu)) >> 32;
  return static_cast<std::int64_t>(word_high * count_high + (middle_a >> 32) + (middle_b >> 32) + carry);
}

// The element drawn at place `index` of the epoch: `count` columns are equally likely, and column c gives c with
// probability[c], else alias[c]. Source: Walker, ACM TOMS 3(3), 1977, and Vose, IEEE TSE 17(9), 1991; the tables come
// from alias_table in models/sampler.h.
GENEXX_SAMPLING_FUNCTION std::int64_t weighted_index(std::uint64_t seed, std::int64_t epoch, std::int64_t index,
                                                     std::int64_t count, const float* probability,
                                                     const std::int32_t* alias) {
  const std::uint64_t e = static_cast<std::uint64_t>(epoch), i = static_cast<std::uint64_t>(index);
  const PhiloxCounter words =
      philox(philox_key(seed, kWeightedStream), {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                                                 static_cast<std::uint32_t>(e), static_cast<std::uint32_t>(e >> 32)});
  const std::int64_t column = scaled_index(words.x, words.y, count);
  return words.z * 0x1p-32 < static_cast<double>(probability[column]) ? column : alias[column];
}

}  // namespace genexx

#undef GENEXX_SAMPLING_FUNCTION

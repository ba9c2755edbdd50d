// SPDX-License-Identifier: Apache-2.0
// The definition of a draw written again, in the widest integers and one element at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/philox.h"

namespace genexx::oracle {

// Bits 32 to 63 of the product xor bits 0 to 31.
inline std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t product = a * b;
  return (product / 4294967296u) ^ (product % 4294967296u);
}

// The 20 key words of an epoch's shuffle, one Philox call for four.
inline std::vector<std::uint64_t> shuffle_keys(std::uint64_t seed, std::uint64_t epoch) {
  std::vector<std::uint64_t> keys;
  for (std::uint32_t call = 0; call < 5; ++call) {
    const PhiloxCounter w =
        philox(philox_key(seed, 0x73687566u), {4 * call, 0, static_cast<std::uint32_t>(epoch % 4294967296u),
                                               static_cast<std::uint32_t>(epoch / 4294967296u)});
    keys.insert(keys.end(), {w.x, w.y, w.z, w.w});
  }
  return keys;
}

// The whole order of an epoch: walks the ten half rounds with divisions where the kernels shift and mask.
inline std::vector<std::int64_t> shuffled_epoch(std::uint64_t seed, std::uint64_t epoch, std::uint64_t count) {
  const std::vector<std::uint64_t> keys = shuffle_keys(seed, epoch);
  std::uint64_t domain = 64, low_size = 8;
  for (int grown = 0; domain < count; ++grown) {
    domain *= 2;
    if (grown % 2 == 0) low_size *= 2;  // an odd bit goes to the low half
  }
  const std::uint64_t high_size = domain / low_size;
  const auto mix = [&](std::uint64_t x, std::size_t round) {
    const std::uint64_t once = folded_product(0xD2511F53u, x ^ keys[2 * round]) ^ keys[2 * round + 1];
    return folded_product(0xCD9E8D57u, once);
  };
  std::vector<std::int64_t> order;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t element = i;
    do {
      std::uint64_t high = element / low_size, low = element % low_size;
      for (std::size_t round = 0; round < 10; round += 2) {
        high ^= mix(low, round) % high_size;
        low ^= mix(high, round + 1) % low_size;
      }
      element = high * low_size + low;
    } while (element >= count);
    order.push_back(static_cast<std::int64_t>(element));
  }
  return order;
}

struct WeightedPlace {
  std::uint64_t seed, epoch, place;
};

// One draw with replacement: column by the high half of a 128-bit product, then the column's coin.
inline std::int64_t weighted_draw(const WeightedPlace& at, const std::vector<float>& probability,
                                  const std::vector<std::int32_t>& alias) {
  const PhiloxCounter w = philox(philox_key(at.seed, 0x77656967u),
                                 {static_cast<std::uint32_t>(at.place), static_cast<std::uint32_t>(at.place >> 32),
                                  static_cast<std::uint32_t>(at.epoch), static_cast<std::uint32_t>(at.epoch >> 32)});
  __extension__ using Wide = unsigned __int128;
  const Wide product = ((static_cast<Wide>(w.x) << 32) | w.y) * probability.size();
  const std::size_t column = static_cast<std::size_t>(product >> 64);
  return static_cast<double>(w.z) / 4294967296.0 < static_cast<double>(probability[column])
             ? static_cast<std::int64_t>(column)
             : alias[column];
}

}  // namespace genexx::oracle

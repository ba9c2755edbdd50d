// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10, a counter-based random generator: the number depends on key and counter alone, so every device, thread
// count and batch split draws the same. Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011, section 3 and table 2 (constants).
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define GENEXX_PHILOX_FUNCTION __host__ __device__ inline
#else
#define GENEXX_PHILOX_FUNCTION inline
#endif

namespace genexx {

struct PhiloxKey {
  std::uint32_t lo = 0, hi = 0;
};

struct PhiloxCounter {
  std::uint32_t x = 0, y = 0, z = 0, w = 0;
};

// Ten rounds: four independent 32-bit words for one counter.
GENEXX_PHILOX_FUNCTION PhiloxCounter philox(PhiloxKey key, PhiloxCounter c) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c.x;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c.z;
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c.y ^ key.lo, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c.w ^ key.hi, static_cast<std::uint32_t>(p0)};
    key.lo += 0x9E3779B9u;
    key.hi += 0xBB67AE85u;
  }
  return c;
}

// The key of one replica's seed and one stream. Streams keep users of randomness apart (a dropout layer, the sampler).
GENEXX_PHILOX_FUNCTION PhiloxKey philox_key(std::uint64_t seed, std::uint32_t stream) {
  return {static_cast<std::uint32_t>(seed) ^ (stream * 0x85EBCA6Bu), static_cast<std::uint32_t>(seed >> 32) + stream};
}

// Uniform in [0, 1) with 24 bits, exactly representable in float.
GENEXX_PHILOX_FUNCTION float philox_uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

}  // namespace genexx

#undef GENEXX_PHILOX_FUNCTION

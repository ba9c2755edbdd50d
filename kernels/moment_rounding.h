// SPDX-License-Identifier: Apache-2.0
// The random numbers that optimizers round their moments to bf16 with. Rounding to nearest would leave a moment as it
// is wherever a step changes it by less than half a unit: with beta2 = 0.999 a second moment could not fall. Rounded at
// random in proportion it is right on average (Gupta, Agrawal, Gopalakrishnan, Narayanan, "Deep learning with limited
// numerical precision", ICML 2015, section 3).
//
// Element e of a replica's parameter takes word e % 4 of philox(key, {e / 4, parameter, step}) with key =
// philox_key(seed of the replica, stream): its lower half for the first moment (or the velocity), its upper half for
// the second. Nothing depends on the device, on threads or on other replicas.
#pragma once

#include <cstdint>

#include "engine/philox.h"

#if defined(__CUDACC__)
#define GENEXX_MOMENT_FUNCTION __host__ __device__ inline
#else
#define GENEXX_MOMENT_FUNCTION inline
#endif

namespace genexx {

constexpr std::uint32_t kMomentStream = 0x6D6F6D65u;

// The words of elements [first, first + 4); 4 divides `first`.
GENEXX_MOMENT_FUNCTION PhiloxCounter moment_words(std::int64_t seed, std::int32_t parameter, std::int64_t first,
                                                  std::int64_t step) {
  return philox(philox_key(static_cast<std::uint64_t>(seed), kMomentStream),
                {static_cast<std::uint32_t>(first / 4), static_cast<std::uint32_t>(parameter),
                 static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)});
}

}  // namespace genexx

#undef GENEXX_MOMENT_FUNCTION

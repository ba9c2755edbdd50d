// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/philox.h"
#include "kernels/dropout.h"

namespace genexx::oracle {

struct DropoutDraw {
  std::int64_t seed, step, first_row;
  std::uint32_t stream;
  genexx::dropout::Form form;
  double rate;
};

// What x[i, u] is multiplied by: 0 or 1 / (1 - p); n rows of c units of one replica.
inline std::vector<double> dropout_factors(std::int64_t n, std::int64_t c, const DropoutDraw& d) {
  std::vector<double> factor(static_cast<std::size_t>(n * c));
  const PhiloxKey key = philox_key(static_cast<std::uint64_t>(d.seed), d.stream);
  const auto lo = static_cast<std::uint32_t>(static_cast<std::uint64_t>(d.step) & 0xFFFFFFFFu);
  const auto hi = static_cast<std::uint32_t>(static_cast<std::uint64_t>(d.step) >> 32);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t u = 0; u < c; ++u) {
      const std::int64_t unit = d.form == genexx::dropout::Form::row ? 0 : u;
      const PhiloxCounter w =
          philox(key, {static_cast<std::uint32_t>(unit / 4), static_cast<std::uint32_t>(d.first_row + i), lo, hi});
      const std::uint32_t word[4] = {w.x, w.y, w.z, w.w};
      const bool kept = static_cast<double>(word[unit % 4]) >= std::floor(d.rate * 4294967296.0);
      factor[static_cast<std::size_t>(i * c + u)] = kept ? 1.0 / (1.0 - d.rate) : 0.0;
    }
  return factor;
}

}  // namespace genexx::oracle

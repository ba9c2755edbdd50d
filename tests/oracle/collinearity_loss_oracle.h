// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "kernels/collinearity_loss.h"
#include "tests/oracle/real_part.h"

namespace genexx::oracle {

// |sum(K) - trace(K)| / D / n with K = Z^T Z formed entry by entry, of one replica.
template <class S>
S collinearity_loss(std::int64_t n, std::int64_t h, genexx::collinearity_loss::Denominator denominator,
                    const std::vector<S>& z) {
  S off_diagonal = 0;
  for (std::int64_t a = 0; a < h; ++a)
    for (std::int64_t b = 0; b < h; ++b) {
      if (a == b) continue;
      for (std::int64_t i = 0; i < n; ++i)
        off_diagonal += z[static_cast<std::size_t>(i * h + a)] * z[static_cast<std::size_t>(i * h + b)];
    }
  double d = static_cast<double>(n * n - h);
  if (denominator == genexx::collinearity_loss::Denominator::guarded && d < 0.5 * static_cast<double>(n * n))
    d = 0.5 * static_cast<double>(n * n);
  return magnitude(off_diagonal) / d / static_cast<double>(n);
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>

namespace genexx::oracle {

// The number of `digits` significant binary digits and f32's exponents that is nearest to x, ties to even.
inline double nearest(double x, int digits) {
  if (!std::isfinite(x) || x == 0) return x;
  const int exponent = std::max(std::ilogb(x), -126);  // below lie the subnormal numbers, all with the same spacing
  const double unit = std::ldexp(1.0, exponent - digits + 1);
  const double rounded = std::nearbyint(x / unit) * unit;
  return std::fabs(rounded) < 0x1p128 ? rounded : std::copysign(std::numeric_limits<double>::infinity(), x);
}

}  // namespace genexx::oracle

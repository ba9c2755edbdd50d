// SPDX-License-Identifier: Apache-2.0
// Value and slope of one term of regression_loss, the same formulas on every device.
#pragma once

#include "kernels/regression_loss.h"

namespace genexx::regression_loss {

template <Kind kKind, class T>
constexpr T value_of(T d, T delta) {
  const T size = d < 0 ? -d : d;
  if (kKind == Kind::squared) return d * d;
  if (kKind == Kind::absolute) return size;
  return size <= delta ? T(0.5) * d * d : delta * (size - T(0.5) * delta);
}

template <Kind kKind, class T>
constexpr T slope_of(T d, T delta) {
  if (kKind == Kind::squared) return T(2) * d;
  const T sign = d > 0 ? T(1) : d < 0 ? T(-1) : d;  // 0 stays 0, NaN stays NaN
  if (kKind == Kind::absolute) return sign;
  return (d < 0 ? -d : d) <= delta ? d : delta * sign;
}

// D of the header, for n rows of c targets.
constexpr double divisor_of(Reduction reduction, std::int64_t n, std::int64_t c) {
  return static_cast<double>(reduction == Reduction::mean ? n * c : n);
}

}  // namespace genexx::regression_loss

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "kernels/regression_loss.h"
#include "tests/oracle/real_part.h"

namespace genexx::oracle {

struct RegressionCase {
  std::int64_t n, c;
  genexx::regression_loss::Kind kind;
  double delta;
  genexx::regression_loss::Reduction reduction;
};

// Of one replica.
template <class S>
S regression_loss(const RegressionCase& a, const std::vector<S>& prediction, const std::vector<double>& target) {
  using genexx::regression_loss::Kind;
  S row_means = 0;
  for (std::int64_t i = 0; i < a.n; ++i) {
    S sum = 0;
    for (std::int64_t j = 0; j < a.c; ++j) {
      const S d = prediction[static_cast<std::size_t>(i * a.c + j)] - target[static_cast<std::size_t>(i * a.c + j)];
      const S size = magnitude(d);
      if (a.kind == Kind::squared) sum += d * d;
      if (a.kind == Kind::absolute) sum += size;
      if (a.kind == Kind::huber) sum += real_part(size) <= a.delta ? 0.5 * d * d : a.delta * (size - 0.5 * a.delta);
    }
    if (a.reduction == genexx::regression_loss::Reduction::mean) sum /= static_cast<double>(a.c);
    row_means += sum;
  }
  return row_means / static_cast<double>(a.n);
}

}  // namespace genexx::oracle

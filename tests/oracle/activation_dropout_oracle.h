// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "tests/oracle/activation_oracle.h"
#include "tests/oracle/dropout_oracle.h"

namespace genexx::oracle {

// n rows of c units of one replica.
template <class S>
std::vector<S> activation_dropout(std::int64_t n, std::int64_t c, std::optional<genexx::activation::Kind> kind,
                                  const DropoutDraw& draw, const std::vector<S>& x) {
  std::vector<S> y = kind ? activation(*kind, x) : x;
  const std::vector<double> factor = dropout_factors(n, c, draw);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = factor[i] == 0 ? S(0) : y[i] * factor[i];
  return y;
}

// Sum of each column of [n, c], rows in ascending order.
template <class S>
std::vector<S> column_sums(std::int64_t n, std::int64_t c, const std::vector<S>& x) {
  std::vector<S> sum(static_cast<std::size_t>(c));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < c; ++j) sum[static_cast<std::size_t>(j)] += x[static_cast<std::size_t>(i * c + j)];
  return sum;
}

}  // namespace genexx::oracle

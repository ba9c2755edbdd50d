// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace genexx::oracle {

// c[i,j] = sum over p of a(i,p) b(p,j), with a and b given by index functions.
template <class S, class A, class B>
std::vector<S> matrix_product(std::int64_t m, std::int64_t n, std::int64_t k, A&& a, B&& b) {
  std::vector<S> c(static_cast<std::size_t>(m * n));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      S sum = 0;
      for (std::int64_t p = 0; p < k; ++p) sum += a(i, p) * b(p, j);
      c[static_cast<std::size_t>(i * n + j)] = sum;
    }
  return c;
}

}  // namespace genexx::oracle

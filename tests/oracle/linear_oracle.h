// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace genexx::oracle {

struct LinearSizes {
  std::int64_t n, in, out;
};

// y[i, o] = b[o] + sum over p of x[i, p] w[o, p], of one replica; `b` may be empty.
template <class S>
std::vector<S> linear(const LinearSizes& s, const std::vector<S>& x, const std::vector<S>& w, const std::vector<S>& b) {
  std::vector<S> y(static_cast<std::size_t>(s.n * s.out));
  for (std::int64_t i = 0; i < s.n; ++i)
    for (std::int64_t o = 0; o < s.out; ++o) {
      S sum = b.empty() ? S(0) : b[static_cast<std::size_t>(o)];
      for (std::int64_t p = 0; p < s.in; ++p)
        sum += x[static_cast<std::size_t>(i * s.in + p)] * w[static_cast<std::size_t>(o * s.in + p)];
      y[static_cast<std::size_t>(i * s.out + o)] = sum;
    }
  return y;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

namespace genexx::oracle {

struct Pool1dSizes {
  std::int64_t n, length, channels, window;
};

enum class Pool1dKind { max, average };

inline double real_part(double x) { return x; }
inline double real_part(const std::complex<double>& x) { return x.real(); }

// y[b, i, c] over the whole windows of one replica: the first largest by its real part, or the mean.
template <class S>
std::vector<S> pool1d(const Pool1dSizes& s, Pool1dKind kind, const std::vector<S>& x) {
  std::vector<S> y;
  for (std::int64_t b = 0; b < s.n; ++b)
    for (std::int64_t i = 0; i < s.length / s.window; ++i)
      for (std::int64_t c = 0; c < s.channels; ++c) {
        const auto at = [&](std::int64_t t) {
          return x[static_cast<std::size_t>((b * s.length + i * s.window + t) * s.channels + c)];
        };
        S largest = at(0), sum = 0;
        for (std::int64_t t = 0; t < s.window; ++t) {
          sum += at(t);
          if (real_part(at(t)) > real_part(largest)) largest = at(t);
        }
        y.push_back(kind == Pool1dKind::max ? largest : sum / static_cast<double>(s.window));
      }
  return y;
}

}  // namespace genexx::oracle

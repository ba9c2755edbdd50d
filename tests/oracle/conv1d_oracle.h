// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace genexx::oracle {

struct Conv1dSizes {
  std::int64_t n, length, channels, windows, filters, kernel, stride, padding;
};

// y[b, i, o] = bias[o] + sum over t, c of x[b, i stride - padding + t, c] w[o, t, c], of one replica; x is 0 outside
// the sequence; `bias` may be empty.
template <class S>
std::vector<S> conv1d(const Conv1dSizes& s, const std::vector<S>& x, const std::vector<S>& w,
                      const std::vector<S>& bias) {
  std::vector<S> y;
  for (std::int64_t b = 0; b < s.n; ++b)
    for (std::int64_t i = 0; i < s.windows; ++i)
      for (std::int64_t o = 0; o < s.filters; ++o) {
        S sum = bias.empty() ? S(0) : bias[static_cast<std::size_t>(o)];
        for (std::int64_t t = 0; t < s.kernel; ++t) {
          const std::int64_t position = i * s.stride - s.padding + t;
          if (position < 0 || position >= s.length) continue;
          for (std::int64_t c = 0; c < s.channels; ++c)
            sum += x[static_cast<std::size_t>((b * s.length + position) * s.channels + c)] *
                   w[static_cast<std::size_t>((o * s.kernel + t) * s.channels + c)];
        }
        y.push_back(sum);
      }
  return y;
}

}  // namespace genexx::oracle

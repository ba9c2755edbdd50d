// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace genexx::oracle {

struct Confusion {
  std::vector<std::int32_t> predicted;
  std::vector<std::int64_t> counts;
};

// Of one replica; scores without NaN.
inline Confusion confusion(std::int64_t k, const std::vector<double>& scores, const std::vector<std::int32_t>& labels) {
  Confusion out = {{}, std::vector<std::int64_t>(static_cast<std::size_t>(k * k))};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double* row = scores.data() + i * static_cast<std::size_t>(k);
    std::int32_t best = 0;
    for (std::int32_t c = static_cast<std::int32_t>(k) - 1; c >= 0; --c)
      if (row[c] >= row[best]) best = c;
    out.predicted.push_back(best);
    if (labels[i] >= 0 && labels[i] < k) out.counts[static_cast<std::size_t>(labels[i] * k + best)] += 1;
  }
  return out;
}

// Sum over the counted rows of one replica.
inline double cross_entropy(std::int64_t k, const std::vector<double>& scores,
                            const std::vector<std::int32_t>& labels) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= k) continue;
    const double* row = scores.data() + i * static_cast<std::size_t>(k);
    double exps = 0;
    for (std::int64_t c = 0; c < k; ++c) exps += std::exp(row[c] - row[labels[i]]);
    sum += std::log(exps);
  }
  return sum;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

namespace genexx::oracle {

// Mean over rows and unmasked genes of (gate - index)^2, of one replica.
template <class S>
S discriminative_loss(std::int64_t n, const std::vector<S>& gate, const std::vector<double>& index,
                      const std::vector<double>& mask) {
  S sum = 0;
  double terms = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (std::size_t j = 0; j < index.size(); ++j) {
      if (mask[j] == 0) continue;
      const S distance = gate[i * index.size() + j] - index[j];
      sum += distance * distance;
      terms += 1;
    }
  return terms == 0 ? S(0) : sum / terms;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <complex>
#include <vector>

namespace genexx::oracle {

template <class S>
struct Gated {
  std::vector<S> gate, y;
};

template <class S>
Gated<S> gate(const std::vector<S>& logits, const std::vector<S>& x) {
  Gated<S> out{std::vector<S>(x.size()), std::vector<S>(x.size())};
  for (std::size_t i = 0; i < x.size(); ++i) {
    out.gate[i] = S(1) / (S(1) + std::exp(-logits[i]));
    out.y[i] = x[i] * out.gate[i];
  }
  return out;
}

}  // namespace genexx::oracle

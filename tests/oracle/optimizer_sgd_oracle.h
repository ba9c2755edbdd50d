// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace genexx::oracle {

struct SgdState {
  std::vector<double> weight, velocity;
};

struct SgdStep {
  double lr, decay, momentum;
};

inline void sgd(SgdState& s, const std::vector<double>& gradient, const SgdStep& a) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double g = gradient[i] + a.decay * s.weight[i];
    s.velocity[i] = a.momentum * s.velocity[i] - a.lr * g;
    s.weight[i] += s.velocity[i];
  }
}

}  // namespace genexx::oracle

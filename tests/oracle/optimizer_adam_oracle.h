// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace genexx::oracle {

// One parameter's Adam state.
struct AdamState {
  double w = 0, m = 0, v = 0;
};

struct AdamRates {
  double lr = 0, coupled = 0, decoupled = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
};

// Step number t, counted from 1.
inline AdamState adam(AdamState s, double g, const AdamRates& a, int t) {
  g += a.coupled * s.w;
  s.w -= a.lr * a.decoupled * s.w;
  s.m = a.beta1 * s.m + (1 - a.beta1) * g;
  s.v = a.beta2 * s.v + (1 - a.beta2) * g * g;
  const double m_hat = s.m / (1 - std::pow(a.beta1, t));
  const double v_hat = s.v / (1 - std::pow(a.beta2, t));
  s.w -= a.lr * m_hat / (std::sqrt(v_hat) + a.eps);
  return s;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
// Plain loops, templated on the scalar: double, or complex for the complex step (branches look at the real part).
#pragma once

#include <cmath>
#include <vector>

#include "kernels/activation.h"
#include "tests/oracle/real_part.h"

namespace genexx::oracle {

template <class S>
std::vector<S> activation(genexx::activation::Kind kind, const std::vector<S>& x) {
  std::vector<S> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (kind == genexx::activation::Kind::relu) y[i] = real_part(x[i]) > 0 ? x[i] : S(0);
    if (kind == genexx::activation::Kind::tanh) y[i] = std::tanh(x[i]);
    if (kind == genexx::activation::Kind::sigmoid) y[i] = S(1) / (S(1) + std::exp(-x[i]));
  }
  return y;
}

}  // namespace genexx::oracle

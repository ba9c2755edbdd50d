// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

namespace genexx::oracle {

template <class S>
struct BatchNormInputs {
  std::int64_t n, c;
  std::vector<S> x, gamma, beta;  // [n, c], [c], [c]
  double eps;
};

template <class S>
struct ColumnMoments {
  std::vector<S> mean, variance;  // variance divided by n
};

template <class S>
ColumnMoments<S> column_moments(const BatchNormInputs<S>& a) {
  ColumnMoments<S> m;
  for (std::int64_t j = 0; j < a.c; ++j) {
    S mean = 0, squares = 0;
    for (std::int64_t i = 0; i < a.n; ++i) mean += a.x[static_cast<std::size_t>(i * a.c + j)];
    mean /= static_cast<double>(a.n);
    for (std::int64_t i = 0; i < a.n; ++i) {
      const S centred = a.x[static_cast<std::size_t>(i * a.c + j)] - mean;
      squares += centred * centred;
    }
    m.mean.push_back(mean);
    m.variance.push_back(squares / static_cast<double>(a.n));
  }
  return m;
}

// y with the given moments: those of the batch, or the running ones.
template <class S>
std::vector<S> batch_norm(const BatchNormInputs<S>& a, const ColumnMoments<S>& m) {
  std::vector<S> y(a.x.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t j = i % static_cast<std::size_t>(a.c);
    y[i] = a.gamma[j] * (a.x[i] - m.mean[j]) / std::sqrt(m.variance[j] + a.eps) + a.beta[j];
  }
  return y;
}

}  // namespace genexx::oracle

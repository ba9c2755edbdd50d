// SPDX-License-Identifier: Apache-2.0
// The whole scAnnoNet network and its total loss as plain loops, without dropout.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/oracle/activation_oracle.h"

namespace genexx::oracle {

struct ScannonetCase {
  std::int64_t rows, genes, classes;
  double w1, w2;
};

// y[n, out] = x[n, in] W^T + b
template <class S>
std::vector<S> affine(const std::vector<S>& x, std::int64_t rows, const std::vector<S>& w, const std::vector<S>& b) {
  const std::int64_t out = static_cast<std::int64_t>(b.size()), in = static_cast<std::int64_t>(w.size()) / out;
  std::vector<S> y(static_cast<std::size_t>(rows * out));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t o = 0; o < out; ++o) {
      S sum = b[static_cast<std::size_t>(o)];
      for (std::int64_t k = 0; k < in; ++k)
        sum += x[static_cast<std::size_t>(i * in + k)] * w[static_cast<std::size_t>(o * in + k)];
      y[static_cast<std::size_t>(i * out + o)] = sum;
    }
  return y;
}

template <class S>
S cross_entropy_of(const std::vector<S>& logits, const std::vector<std::int32_t>& labels, std::int64_t classes) {
  S loss = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    S sum = 0;
    for (std::int64_t k = 0; k < classes; ++k)
      sum += std::exp(logits[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(k)]);
    loss += std::log(sum) - logits[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])];
  }
  return loss / static_cast<double>(labels.size());
}

// Parameters in the order of the network: gate.0, gate.1, hidden.0, hidden.1, output, weight before bias.
template <class S>
S scannonet_loss(const std::vector<std::vector<S>>& p, const std::vector<double>& input,
                 const std::vector<std::int32_t>& labels, const std::vector<double>& index, const ScannonetCase& c) {
  const std::vector<S> x(input.begin(), input.end());
  const std::vector<S> squeezed = activation(activation::Kind::tanh, affine(x, c.rows, p[0], p[1]));
  const std::vector<S> gate = activation(activation::Kind::sigmoid, affine(squeezed, c.rows, p[2], p[3]));
  std::vector<S> gated(x.size());
  S discriminative = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    gated[i] = x[i] * gate[i];
    const S d = gate[i] - index[i % index.size()];
    discriminative += d * d;
  }
  const std::vector<S> hidden = activation(activation::Kind::relu, affine(gated, c.rows, p[4], p[5]));
  const std::vector<S> z = activation(activation::Kind::relu, affine(hidden, c.rows, p[6], p[7]));
  const std::size_t width = z.size() / static_cast<std::size_t>(c.rows);
  S collinearity = 0;  // sum of Z^T Z without its diagonal
  for (std::size_t a = 0; a < width; ++a)
    for (std::size_t b = 0; b < width; ++b)
      for (std::size_t i = 0; a != b && i < static_cast<std::size_t>(c.rows); ++i)
        collinearity += z[i * width + a] * z[i * width + b];
  const double n = static_cast<double>(c.rows);
  const double denominator = std::max(n * n - static_cast<double>(width), n * n / 2);
  return cross_entropy_of(affine(z, c.rows, p[8], p[9]), labels, c.classes) +
         c.w1 * discriminative / static_cast<double>(x.size()) + c.w2 * collinearity / denominator / n;
}

}  // namespace genexx::oracle

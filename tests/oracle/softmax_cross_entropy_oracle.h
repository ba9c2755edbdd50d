// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

#include "tests/oracle/real_part.h"

namespace genexx::oracle {

struct CrossEntropyCase {
  std::int64_t n, k;
  std::vector<std::int32_t> labels;   // -1: ignored
  std::vector<double> class_weight;   // [k]
  std::vector<double> sample_weight;  // [n]
  double smoothing = 0;
};

// log softmax(logits)[i, c], with the largest real part taken away.
template <class S>
std::vector<S> log_softmax(std::int64_t n, std::int64_t k, const std::vector<S>& logits) {
  std::vector<S> out(logits.size());
  for (std::int64_t i = 0; i < n; ++i) {
    const auto row = static_cast<std::size_t>(i * k);
    double largest = real_part(logits[row]);
    for (std::size_t c = 1; c < static_cast<std::size_t>(k); ++c)
      if (real_part(logits[row + c]) > largest) largest = real_part(logits[row + c]);
    S sum = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(k); ++c) sum += std::exp(logits[row + c] - largest);
    for (std::size_t c = 0; c < static_cast<std::size_t>(k); ++c)
      out[row + c] = logits[row + c] - largest - std::log(sum);
  }
  return out;
}

// Of one replica.
template <class S>
S softmax_cross_entropy(const CrossEntropyCase& a, const std::vector<S>& logits) {
  const std::vector<S> log_p = log_softmax(a.n, a.k, logits);
  S hard = 0, soft = 0;
  double total = 0;
  for (std::int64_t i = 0; i < a.n; ++i) {
    const std::int32_t label = a.labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= a.k) continue;
    const double s = a.sample_weight[static_cast<std::size_t>(i)], w = a.class_weight[static_cast<std::size_t>(label)];
    total += s * w;
    hard -= s * w * log_p[static_cast<std::size_t>(i * a.k + label)];
    for (std::int64_t c = 0; c < a.k; ++c)
      soft -= s * a.class_weight[static_cast<std::size_t>(c)] * log_p[static_cast<std::size_t>(i * a.k + c)];
  }
  if (total == 0) return S(0);
  return ((1 - a.smoothing) * hard + a.smoothing / static_cast<double>(a.k) * soft) / total;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
// Taking joint calls over replicas apart, to compare them with calls of one replica each.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx::test {

// Part `k` of `r` equal parts: the values of replica k.
template <class T>
std::vector<T> replica_part(const std::vector<T>& values, std::int64_t k, std::int64_t r) {
  const std::int64_t each = static_cast<std::int64_t>(values.size()) / r;
  return std::vector<T>(values.begin() + k * each, values.begin() + (k + 1) * each);
}

// a + b, element by element: what accumulating into `a` gives.
inline std::vector<double> added(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

}  // namespace genexx::test

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace genexx::oracle {

template <class S>
std::vector<S> accumulate(double weight, const std::vector<S>& value, std::vector<S> sum) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * value[i];
  return sum;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace genexx::oracle {

template <class S>
std::vector<S> accumulate(double weight, const std::vector<S>& value, std::vector<S> sum) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * value[i];
  return sum;
}

struct Watch {
  std::vector<std::int64_t> lost_at;
  std::vector<std::int32_t> active;
};

// value is [losses, replicas].
inline Watch watch(const std::vector<double>& value, const std::vector<std::int64_t>& step, Watch w) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::size_t k = i % step.size();
    if (std::isfinite(value[i]) || (w.lost_at[k] >= 0 && w.lost_at[k] != step[k])) continue;
    w.lost_at[k] = step[k];
    w.active[k] = 0;
  }
  return w;
}

}  // namespace genexx::oracle

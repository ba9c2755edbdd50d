// SPDX-License-Identifier: Apache-2.0
#include "models/quartiles.h"

#include <algorithm>
#include <cmath>

namespace genexx {

std::vector<double> quartiles(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  std::vector<double> five;
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const double at = static_cast<double>(values.size() - 1) * quarter / 4;
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    five.push_back(values[below] + (at - std::floor(at)) * (values[above] - values[below]));
  }
  return five;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/discriminant_index.h"

#include <algorithm>

namespace genexx::scannonet {

std::vector<double> discriminant_index(std::span<const Scatter> genes, double beta) {
  constexpr double kNoScatter = 1e-12, kInstead = 1e5;
  std::vector<double> index;
  index.reserve(genes.size());
  for (const Scatter& s : genes) {
    const double d = s.within < kNoScatter ? kInstead : s.within;
    index.push_back(s.between / (d + 2 * beta * s.within));
  }
  if (index.empty()) return index;
  const auto [low_at, high_at] = std::minmax_element(index.begin(), index.end());
  const double low = *low_at, range = *high_at - *low_at;
  for (double& score : index) score = range > 0 ? (score - low) / range : 0.0;
  return index;
}

}  // namespace genexx::scannonet

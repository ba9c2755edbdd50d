// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/markers.h"

#include <algorithm>
#include <cmath>

namespace genexx::scannonet {
namespace {

double score_of(MarkerScore kind, double mean, double others) {
  if (kind == MarkerScore::difference) return mean - others;
  constexpr double kPseudo = 1e-6;
  return std::log2((mean + kPseudo) / (others + kPseudo));
}

}  // namespace

std::vector<Marker> find_markers(std::span<const double> means, std::int64_t types, const MarkerRules& rules) {
  std::vector<Marker> markers;
  const std::int64_t genes = types > 0 ? static_cast<std::int64_t>(means.size()) / types : 0;
  if (types < 2) return markers;
  std::vector<double> others(static_cast<std::size_t>(genes));
  for (std::int64_t t = 0; t < types; ++t) {
    std::fill(others.begin(), others.end(), 0.0);
    for (std::int64_t s = 0; s < types; ++s) {
      if (s == t) continue;
      for (std::int64_t g = 0; g < genes; ++g)
        others[static_cast<std::size_t>(g)] += means[static_cast<std::size_t>(s * genes + g)];
    }
    std::vector<Marker> found;
    for (std::int64_t g = 0; g < genes; ++g) {
      const double rest = others[static_cast<std::size_t>(g)] / static_cast<double>(types - 1);
      const double score = score_of(rules.score, means[static_cast<std::size_t>(t * genes + g)], rest);
      if (score > rules.above) found.push_back({t, g, score});
    }
    std::stable_sort(found.begin(), found.end(), [](const Marker& a, const Marker& b) { return a.score > b.score; });
    if (static_cast<std::int64_t>(found.size()) > rules.most) found.resize(static_cast<std::size_t>(rules.most));
    markers.insert(markers.end(), found.begin(), found.end());
  }
  return markers;
}

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/highly_variable.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace genexx::scannonet {
namespace {

constexpr int kBins = 20;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Edges of the bins, as pandas.cut places them; whatever is not above the first belongs to the first bin.
std::vector<double> bin_edges(std::span<const double> x) {
  const auto [low_at, high_at] = std::minmax_element(x.begin(), x.end());
  double low = *low_at, high = *high_at;
  if (low == high) {
    low -= low != 0 ? 0.001 * std::fabs(low) : 0.001;
    high += high != 0 ? 0.001 * std::fabs(high) : 0.001;
  }
  std::vector<double> edges;
  const double step = (high - low) / kBins;
  for (int i = 0; i < kBins; ++i) edges.push_back(low + i * step);
  edges.push_back(high);
  return edges;
}

struct BinStats {
  double center = 0, spread = kNaN;
};

// Mean and standard deviation (ddof 1) of the dispersions that are not NaN in each bin.
std::vector<BinStats> bin_stats(std::span<const double> dispersion, std::span<const int> bin) {
  std::vector<double> sum(kBins, 0.0), squares(kBins, 0.0);
  std::vector<std::int64_t> count(kBins, 0);
  for (std::size_t g = 0; g < dispersion.size(); ++g) {
    if (std::isnan(dispersion[g])) continue;
    sum[static_cast<std::size_t>(bin[g])] += dispersion[g];
    count[static_cast<std::size_t>(bin[g])] += 1;
  }
  std::vector<BinStats> stats(kBins);
  for (std::size_t b = 0; b < kBins; ++b)
    stats[b].center = count[b] > 0 ? sum[b] / static_cast<double>(count[b]) : kNaN;
  for (std::size_t g = 0; g < dispersion.size(); ++g) {
    if (std::isnan(dispersion[g])) continue;
    const std::size_t b = static_cast<std::size_t>(bin[g]);
    squares[b] += (dispersion[g] - stats[b].center) * (dispersion[g] - stats[b].center);
  }
  for (std::size_t b = 0; b < kBins; ++b) {
    if (count[b] > 1) {
      stats[b].spread = std::sqrt(squares[b] / static_cast<double>(count[b] - 1));
    } else {
      stats[b] = {0, stats[b].center};
    }
  }
  return stats;
}

}  // namespace

std::vector<double> normalised_dispersions(std::span<const double> mean, std::span<const double> variance) {
  const std::size_t genes = mean.size();
  if (genes == 0) return {};
  std::vector<double> level(genes), dispersion(genes);
  for (std::size_t g = 0; g < genes; ++g) {
    const double m = mean[g] == 0 ? 1e-12 : mean[g];
    const double d = variance[g] / m;
    dispersion[g] = d == 0 ? kNaN : std::log(d);
    level[g] = std::log1p(m);
  }
  const std::vector<double> edges = bin_edges(level);
  std::vector<int> bin(genes);
  for (std::size_t g = 0; g < genes; ++g) {
    const auto edge = std::lower_bound(edges.begin(), edges.end(), level[g]);
    bin[g] = std::clamp(static_cast<int>(edge - edges.begin()) - 1, 0, kBins - 1);
  }
  const std::vector<BinStats> stats = bin_stats(dispersion, bin);
  for (std::size_t g = 0; g < genes; ++g) {
    const BinStats& s = stats[static_cast<std::size_t>(bin[g])];
    dispersion[g] = (dispersion[g] - s.center) / s.spread;
  }
  return dispersion;
}

std::vector<std::int64_t> most_variable(std::span<const double> normalised, std::int64_t n) {
  std::vector<std::int64_t> chosen;
  if (static_cast<std::int64_t>(normalised.size()) <= n) {
    chosen.resize(normalised.size());
    std::iota(chosen.begin(), chosen.end(), 0);
    return chosen;
  }
  std::vector<double> sorted;
  for (const double d : normalised)
    if (!std::isnan(d)) sorted.push_back(d);
  if (sorted.empty() || n < 1) return chosen;
  const std::size_t place = static_cast<std::size_t>(std::min(n, static_cast<std::int64_t>(sorted.size())) - 1);
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(place), sorted.end(), std::greater<>());
  const double least = sorted[place];
  for (std::size_t g = 0; g < normalised.size(); ++g)
    if (normalised[g] >= least) chosen.push_back(static_cast<std::int64_t>(g));
  return chosen;
}

}  // namespace genexx::scannonet

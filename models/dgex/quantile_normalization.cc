// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/quantile_normalization.h"

#include <algorithm>
#include <utility>

namespace genexx::dgex {
namespace {

using Placed = std::pair<double, std::int32_t>;  // a value and its place in the profile

std::vector<Placed> in_order(const std::vector<double>& profile) {
  std::vector<Placed> placed(profile.size());
  for (std::size_t i = 0; i < profile.size(); ++i) placed[i] = {profile[i], static_cast<std::int32_t>(i)};
  std::sort(placed.begin(), placed.end());
  return placed;
}

// Calls group(begin, end) for each run of equal values.
template <class Group>
void for_each_tie(const std::vector<Placed>& placed, Group&& group) {
  for (std::size_t begin = 0; begin < placed.size();) {
    std::size_t end = begin + 1;
    while (end < placed.size() && placed[end].first == placed[begin].first) ++end;
    group(begin, end);
    begin = end;
  }
}

}  // namespace

void average_ranks(const std::vector<double>& profile, std::int32_t* quantile, double* sorted) {
  const std::vector<Placed> placed = in_order(profile);
  for (std::size_t i = 0; i < placed.size(); ++i) sorted[i] = placed[i].first;
  for_each_tie(placed, [&](std::size_t begin, std::size_t end) {
    const auto rank = static_cast<std::int32_t>((begin + end - 1) / 2);
    for (std::size_t i = begin; i < end; ++i) quantile[placed[i].second] = rank;
  });
}

void unique_ranks(const std::vector<double>& profile, std::int32_t* quantile) {
  const std::vector<Placed> placed = in_order(profile);
  std::int64_t distinct = 0, rank = 0;
  for_each_tie(placed, [&](std::size_t, std::size_t) { ++distinct; });
  for_each_tie(placed, [&](std::size_t begin, std::size_t end) {
    const double position = (static_cast<double>(rank++) + 1.0) / static_cast<double>(distinct);
    const auto index = static_cast<std::int32_t>(position * static_cast<double>(profile.size())) - 1;
    for (std::size_t i = begin; i < end; ++i) quantile[placed[i].second] = std::max(index, 0);
  });
}

}  // namespace genexx::dgex

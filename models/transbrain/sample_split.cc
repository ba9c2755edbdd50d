// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/sample_split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/stratify.h"

namespace genexx::transbrain {
namespace {

constexpr std::uint32_t kSplitStream = 0x74627370u;

}  // namespace

std::int64_t validation_samples(std::int64_t samples, double share) {
  // nearbyint rounds halves to even in the default rounding mode, as NumPy does.
  const auto wanted = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(samples) * share));
  return std::min(samples, std::max<std::int64_t>(1, wanted));
}

CellSplit split_by_sample(const SampleSplitRequest& r) {
  if (!(r.validation > 0 && r.validation < 1))
    throw UsageError(fmt::format("split.validation is {}, expected over 0 and less than 1", r.validation));
  if (r.samples.size() != r.regions.size())
    throw ShapeError(fmt::format("samples has {} rows, expected {}", r.samples.size(), r.regions.size()),
                     CodeLocation::here());
  std::map<std::int32_t, std::set<std::int64_t>> samples_of_region;
  std::map<std::int32_t, std::int32_t> region_of_sample;
  for (std::size_t i = 0; i < r.regions.size(); ++i) {
    if (r.regions[i] < 0) continue;
    if (r.samples[i] < 0) throw RefusedError(fmt::format("row {} (counted from 0) has no tissue sample", i));
    const auto [at, is_new] = region_of_sample.emplace(r.samples[i], r.regions[i]);
    if (!is_new && at->second != r.regions[i])
      throw RefusedError(fmt::format("the tissue sample of row {} (counted from 0) is in two regions", i));
    samples_of_region[r.regions[i]].insert(r.samples[i]);
  }
  std::set<std::int64_t> held_out;
  for (const auto& [region, samples] : samples_of_region) {
    const std::vector<std::int64_t> candidates(samples.begin(), samples.end());
    const std::vector<std::int64_t> order =
        random_order(candidates, r.seed, kSplitStream + static_cast<std::uint32_t>(region));
    const std::int64_t count = validation_samples(static_cast<std::int64_t>(order.size()), r.validation);
    held_out.insert(order.begin(), order.begin() + count);
  }
  CellSplit split;
  for (std::size_t i = 0; i < r.regions.size(); ++i) {
    if (r.regions[i] < 0) continue;
    const bool validates = held_out.count(r.samples[i]) > 0;
    (validates ? split.validation : split.train).push_back(static_cast<std::int64_t>(i));
  }
  return split;
}

}  // namespace genexx::transbrain

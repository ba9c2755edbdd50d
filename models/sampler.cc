// SPDX-License-Identifier: Apache-2.0
#include "models/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/error.h"
#include "models/class_codes.h"

namespace genexx {
namespace {

// Each weight as a multiple of the mean.
std::vector<double> scaled_to_mean(std::span<const double> weights) {
  if (weights.empty() || weights.size() > std::numeric_limits<std::int32_t>::max())
    throw RefusedError("weighted sampling over " + std::to_string(weights.size()) +
                       " elements, expected 1 to 2147483647");
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || !std::isfinite(weights[i]))
      throw RefusedError("sampling weight " + std::to_string(i) + " is " + std::to_string(weights[i]) +
                         ", expected a finite number, 0 or more");
    sum += weights[i];
  }
  if (!(sum > 0 && std::isfinite(sum)))
    throw RefusedError("sampling weights sum to " + std::to_string(sum) + ", expected a finite sum over 0");
  std::vector<double> scaled(weights.begin(), weights.end());
  for (double& w : scaled) w *= static_cast<double>(weights.size()) / sum;
  return scaled;
}

}  // namespace

AliasTable alias_table(std::span<const double> weights) {
  std::vector<double> share = scaled_to_mean(weights);
  AliasTable table{std::vector<float>(share.size(), 1.0f), std::vector<std::int32_t>(share.size())};
  std::vector<std::int32_t> small, large;
  for (std::size_t i = 0; i < share.size(); ++i) {
    table.alias[i] = static_cast<std::int32_t>(i);
    (share[i] < 1 ? small : large).push_back(static_cast<std::int32_t>(i));
  }
  // A column that is too small is filled up by one that is too large, which may become too small by it.
  while (!small.empty() && !large.empty()) {
    const std::int32_t low = small.back(), high = large.back();
    small.pop_back();
    table.probability[static_cast<std::size_t>(low)] = static_cast<float>(share[static_cast<std::size_t>(low)]);
    table.alias[static_cast<std::size_t>(low)] = high;
    double& rest = share[static_cast<std::size_t>(high)];
    rest -= 1 - share[static_cast<std::size_t>(low)];
    if (rest >= 1) continue;
    large.pop_back();
    small.push_back(high);
  }
  return table;  // what is left in either list is 1 but for rounding: a whole column
}

std::vector<double> oversampling_weights(std::span<const std::int32_t> classes) {
  const auto least = std::min_element(classes.begin(), classes.end());
  if (least != classes.end() && *least < 0)
    throw RefusedError("training cell " + std::to_string(least - classes.begin()) + " has no class, expected one");
  const std::int32_t most = classes.empty() ? -1 : *std::max_element(classes.begin(), classes.end());
  const std::vector<std::int64_t> sizes = class_sizes(classes, most + 1);
  std::int64_t largest = 0, smallest = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t n : sizes) {
    if (n == 0) continue;
    largest = std::max(largest, n);
    smallest = std::min(smallest, n);
  }
  std::vector<double> weights;
  weights.reserve(classes.size());
  for (const std::int32_t c : classes) {
    const double n = static_cast<double>(sizes[static_cast<std::size_t>(c)]);
    weights.push_back(largest > 100 * smallest ? 1 / std::sqrt(n) : 1 / n);
  }
  return weights;
}

}  // namespace genexx

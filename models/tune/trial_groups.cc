// SPDX-License-Identifier: Apache-2.0
#include "models/tune/trial_groups.h"

#include <algorithm>
#include <numeric>

namespace genexx::tune {

std::vector<TrialGroup> group_by_shape(const std::vector<Hyperparameters>& hyperparameters,
                                       const std::vector<std::int64_t>& trials) {
  std::vector<TrialGroup> groups;
  for (const std::int64_t trial : trials) {
    const Hyperparameters& h = hyperparameters[static_cast<std::size_t>(trial)];
    auto group = std::find_if(groups.begin(), groups.end(), [&](const TrialGroup& g) {
      return g.layers == h.layers && g.units == h.units && g.batch == h.batch;
    });
    if (group == groups.end()) group = groups.insert(group, TrialGroup{h.layers, h.units, h.batch, {}});
    group->trials.push_back(trial);
  }
  return groups;
}

std::vector<std::vector<std::int64_t>> split_evenly(const std::vector<std::int64_t>& trials, std::int64_t most) {
  const auto count = static_cast<std::int64_t>(trials.size());
  const std::int64_t parts = (count + most - 1) / most;
  std::vector<std::vector<std::int64_t>> out;
  for (std::int64_t i = 0; i < parts; ++i)
    out.emplace_back(trials.begin() + count * i / parts, trials.begin() + count * (i + 1) / parts);
  return out;
}

std::vector<int> shared_out(const std::vector<double>& costs, int ranks) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::vector<double> load(static_cast<std::size_t>(ranks), 0.0);
  std::vector<int> owners(costs.size());
  for (const std::size_t job : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += costs[job];
    owners[job] = static_cast<int>(least - load.begin());
  }
  return owners;
}

std::int64_t most_within(std::int64_t most, std::int64_t budget,
                         const std::function<std::int64_t(std::int64_t)>& bytes_of) {
  std::int64_t fits = 1, too_many = most + 1;
  while (too_many - fits > 1) {
    const std::int64_t middle = fits + (too_many - fits) / 2;
    (bytes_of(middle) <= budget ? fits : too_many) = middle;
  }
  return fits;
}

}  // namespace genexx::tune

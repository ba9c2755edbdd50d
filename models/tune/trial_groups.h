// SPDX-License-Identifier: Apache-2.0
// Which trials can be trained as one joint run: those whose networks and batches have the same sizes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/tune/search_space.h"

namespace genexx::tune {

struct TrialGroup {
  std::int64_t layers = 0, units = 0, batch = 0;
  std::vector<std::int64_t> trials;  // ascending
};

// The groups of `trials` (ascending; trial t has hyperparameters[t]), in the order of their first trials: a group keeps
// its place when trials are added at the end.
std::vector<TrialGroup> group_by_shape(const std::vector<Hyperparameters>& hyperparameters,
                                       const std::vector<std::int64_t>& trials);

// `trials` in parts of at most `most`, as even as can be, in order.
std::vector<std::vector<std::int64_t>> split_evenly(const std::vector<std::int64_t>& trials, std::int64_t most);

// Who of `ranks` does each of several jobs: the costliest first, each to the one with the least to do until then
// (Graham, "Bounds on multiprocessing timing anomalies", 1969); of equals the lowest.
std::vector<int> shared_out(const std::vector<double>& costs, int ranks);

// The greatest count up to `most` for which `bytes_of(count)`, which does not fall, is within `budget`; 1 where none
// is.
std::int64_t most_within(std::int64_t most, std::int64_t budget,
                         const std::function<std::int64_t(std::int64_t)>& bytes_of);

}  // namespace genexx::tune

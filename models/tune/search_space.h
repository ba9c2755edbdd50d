// SPDX-License-Identifier: Apache-2.0
// What a random search draws: six hyperparameters of a classifier of fully connected layers, each from a range of its
// own. Source of the six: Owens and Swingle's report on the fly brain, "random search".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::tune {

// Where one hyperparameter comes from.
//   uniform      any number in [low, high]; whole numbers: each of low ... high with the same chance
//   log_uniform  its logarithm is uniform: as often between 1e-5 and 1e-4 as between 1e-4 and 1e-3
//   choice       one of `values`, each with the same chance
template <class T>
struct Range {
  std::string distribution = "uniform";
  T low = 0, high = 0;
  std::vector<T> values;
};

struct SearchSpace {
  Range<double> learning_rate = {"log_uniform", 0, 0, {}};
  Range<double> weight_decay = {"log_uniform", 1e-6, 1e-1, {}};
  Range<std::int64_t> layers = {"uniform", 1, 3, {}};
  Range<std::int64_t> units = {"choice", 0, 0, {}};  // of each hidden layer
  Range<std::int64_t> batch = {"choice", 0, 0, {}};  // rows of a step
  Range<double> dropout = {"uniform", 0, 0.5, {}};
};

// What a trial tries.
struct Hyperparameters {
  double learning_rate = 0, weight_decay = 0;
  std::int64_t layers = 0, units = 0, batch = 0;
  double dropout = 0;
};

// The hyperparameters of trial `trial` (from 0): they depend on `seed`, `trial` and each range alone, not on how many
// trials there are. Numbers that are not whole have four significant digits.
Hyperparameters draw(const SearchSpace& space, std::uint64_t seed, std::int64_t trial);

// Throws UsageError naming the key of what cannot be: an empty or reversed range, a value out of bounds.
void check(const SearchSpace& space);

}  // namespace genexx::tune

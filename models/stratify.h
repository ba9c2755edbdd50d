// SPDX-License-Identifier: Apache-2.0
// Dealing cells out to parts (train, validation, test, or folds) so that every part resembles the whole. What splits
// and folds are made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace genexx {

// Which part each of the listed cells goes to.
struct StratifyRequest {
  std::span<const std::int64_t> cells;    // rows of the data
  std::span<const std::int32_t> classes;  // of every row of the data; rows below zero go to no part
  std::span<const std::int32_t> groups;   // of every row of the data; empty where cells are dealt singly
  std::span<const double> fractions;      // of each part; not negative, sum 1
  std::span<const int> scarce_order;      // the parts that are served first by classes with fewer cells than parts
  std::uint64_t seed = 0;
};

// The rows of each part, ascending.
// Without groups: each class is dealt by the fractions in whole cells, and what rounding leaves over goes to the parts
// that are furthest behind so far, so that rounding evens out across classes; a class with as many cells as there are
// parts (of a fraction over zero) has at least one in each. A smaller class goes, one cell each, to the parts of
// `scarce_order`, or without such an order to the parts furthest behind.
// With groups: the largest group first, each to the part whose class counts it brings nearest to its share (greedy, sum
// over classes of (count - share)^2 / share); every part gets a group where there are enough.
// Depends on `seed` and the arguments alone. Throws UsageError for bad fractions, RefusedError where a group has no
// code.
std::vector<std::vector<std::int64_t>> stratify(const StratifyRequest& request);

// The listed cells in random order: every order equally likely (Fisher-Yates over Philox, key (seed, stream)).
std::vector<std::int64_t> random_order(std::span<const std::int64_t> cells, std::uint64_t seed, std::uint32_t stream);

// 0, 1, ..., count - 1.
std::vector<std::int64_t> all_cells(std::int64_t count);

}  // namespace genexx

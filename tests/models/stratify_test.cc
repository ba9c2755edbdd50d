// SPDX-License-Identifier: Apache-2.0
#include "models/stratify.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

using Rows = std::vector<std::int64_t>;

TEST_CASE("stratify: random_order keeps every cell, and seed and stream change the order") {
  const Rows cells = {3, 5, 8, 13, 21, 34, 55, 89};

  Rows order = random_order(cells, 1, 2);

  CHECK(order == random_order(cells, 1, 2));
  CHECK(order != random_order(cells, 2, 2));
  CHECK(order != random_order(cells, 1, 3));
  std::sort(order.begin(), order.end());
  CHECK(order == cells);
}

TEST_CASE("stratify: every order of four cells is equally likely") {
  const Rows cells = all_cells(4);
  std::vector<double> counts(256);
  for (std::uint64_t seed = 0; seed < 24000; ++seed) {
    std::size_t code = 0;
    for (const std::int64_t cell : random_order(cells, seed, 7)) code = code * 4 + static_cast<std::size_t>(cell);
    ++counts[code];
  }

  double chi = 0;
  int orders = 0;
  for (const double c : counts) {
    orders += c > 0;
    chi += c > 0 ? (c - 1000) * (c - 1000) / 1000 : 0;
  }
  CHECK(orders == 24);
  CHECK(chi < 49.7);  // the 0.999 quantile of chi-square with 23 degrees of freedom
}

TEST_CASE("stratify: only the listed cells are dealt, whole shares first") {
  const std::vector<std::int32_t> classes = {0, 0, 0, 0, 0, 0, 1, 1};
  const Rows cells = {0, 2, 3, 5, 7};
  const std::vector<double> fractions = {0.5, 0.5};

  const std::vector<Rows> parts = stratify({.cells = cells, .classes = classes, .fractions = fractions, .seed = 1});

  Rows all = parts[0];
  all.insert(all.end(), parts[1].begin(), parts[1].end());
  std::sort(all.begin(), all.end());
  CHECK(all == cells);
  CHECK(std::count_if(parts[0].begin(), parts[0].end(), [](std::int64_t i) { return i < 6; }) == 2);
}

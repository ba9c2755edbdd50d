// SPDX-License-Identifier: Apache-2.0
#include "models/tune/search_space.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;
using namespace genexx::tune;

namespace {

SearchSpace small_space() {
  SearchSpace s;
  s.learning_rate = {"log_uniform", 1e-6, 1e-2, {}};
  s.units.values = {256, 512, 1024};
  s.batch.values = {32, 64};
  return s;
}

void expect_draw(const Hyperparameters& got, const Hyperparameters& want) {
  CHECK(got.learning_rate == want.learning_rate);
  CHECK(got.weight_decay == want.weight_decay);
  CHECK(got.layers == want.layers);
  CHECK(got.units == want.units);
  CHECK(got.batch == want.batch);
  CHECK(got.dropout == want.dropout);
}

// Kolmogorov and Smirnov's distance of positions in (0, 1) from the uniform distribution.
double distance_from_uniform(std::vector<double> u) {
  std::sort(u.begin(), u.end());
  double most = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const auto n = static_cast<double>(u.size()), below = static_cast<double>(i);
    most = std::max({most, u[i] - below / n, (below + 1) / n - u[i]});
  }
  return most;
}

constexpr std::int64_t kDraws = 4000;
constexpr double kDistance = 0.0308;  // 1.95 / sqrt(4000): exceeded by chance once in a thousand

}  // namespace

// By an independent writing of Philox and of the distributions in Python.
TEST_CASE("search_space: trials of a seed have these hyperparameters") {
  const SearchSpace space = small_space();

  expect_draw(draw(space, 7, 0), {2.051e-4, 5.82e-5, 3, 256, 32, 0.3132});
  expect_draw(draw(space, 7, 1), {3.84e-4, 6.912e-4, 2, 256, 64, 0.4447});
  expect_draw(draw(space, 7, 2), {8.113e-3, 2.911e-5, 3, 256, 64, 0.3672});
  expect_draw(draw(space, 8, 0), {3.847e-4, 2.313e-3, 1, 512, 64, 0.156});
}

TEST_CASE("search_space: a range does not change what the others give") {
  SearchSpace space = small_space();
  const Hyperparameters before = draw(space, 7, 5);
  space.units = {"choice", 0, 0, {100}};
  space.learning_rate = {"choice", 0, 0, {0.5}};

  const Hyperparameters after = draw(space, 7, 5);

  CHECK(after.learning_rate == 0.5);
  CHECK(after.units == 100);
  CHECK(after.weight_decay == before.weight_decay);
  CHECK(after.layers == before.layers);
  CHECK(after.batch == before.batch);
  CHECK(after.dropout == before.dropout);
}

TEST_CASE("search_space: numbers follow their distribution and stay within its bounds") {
  SearchSpace space = small_space();
  space.dropout = {"uniform", 0.1, 0.4, {}};
  std::vector<double> rate, dropout;

  for (std::int64_t k = 0; k < kDraws; ++k) {
    const Hyperparameters h = draw(space, 3, k);
    rate.push_back(std::log(h.learning_rate / 1e-6) / std::log(1e4));
    dropout.push_back((h.dropout - 0.1) / 0.3);
    CHECK(h.learning_rate >= 1e-6);
    CHECK(h.learning_rate <= 1e-2);
    CHECK(h.dropout >= 0.1);
    CHECK(h.dropout <= 0.4);
  }

  CHECK(distance_from_uniform(rate) < kDistance);
  CHECK(distance_from_uniform(dropout) < kDistance);
}

TEST_CASE("search_space: whole numbers and choices come equally often, both ends included") {
  const SearchSpace space = small_space();
  std::map<std::int64_t, int> layers, units, batch;

  for (std::int64_t k = 0; k < kDraws; ++k) {
    const Hyperparameters h = draw(space, 11, k);
    ++layers[h.layers], ++units[h.units], ++batch[h.batch];
  }

  REQUIRE(layers.size() == 3);
  REQUIRE(units.size() == 3);
  REQUIRE(batch.size() == 2);
  for (const auto& counts : {layers, units})
    for (const auto& one : counts) CHECK(std::abs(one.second - kDraws / 3.0) < 98);  // 3.3 standard deviations
  for (const auto& one : batch) CHECK(std::abs(one.second - kDraws / 2.0) < 104);
}

TEST_CASE("search_space: whole numbers with a uniform logarithm") {
  SearchSpace space = small_space();
  space.units = {"log_uniform", 1, 7, {}};
  int low = 0;

  for (std::int64_t k = 0; k < kDraws; ++k) {
    const std::int64_t units = draw(space, 5, k).units;
    CHECK(units >= 1);
    CHECK(units <= 7);
    low += units == 1;
  }

  CHECK(std::abs(low - kDraws / 3.0) < 98);  // one of the three doublings of 1 to 8
}

TEST_CASE("search_space: a range of one number gives that number") {
  SearchSpace space = small_space();
  space.learning_rate = {"log_uniform", 0.00123456789, 0.00123456789, {}};

  CHECK(draw(space, 1, 0).learning_rate == 0.00123456789);
}

TEST_CASE("search_space: what cannot be is named") {
  const auto message = [](auto&& change) {
    SearchSpace space = small_space();
    change(space);
    try {
      check(space);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto contains = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };

  CHECK(message([](SearchSpace&) {}).empty());
  CHECK(contains(message([](SearchSpace& s) { s.learning_rate.low = 0; }),
                 "tune.learning_rate.low is 0, expected above 0"));
  CHECK(contains(message([](SearchSpace& s) { s.weight_decay.low = 0; }),
                 "tune.weight_decay.low is 0, expected above 0: it has no logarithm"));
  CHECK(contains(message([](SearchSpace& s) { s.layers.low = 4; }), "tune.layers.low is 4, above its high, 3"));
  CHECK(contains(message([](SearchSpace& s) { s.units.values = {}; }), "tune.units.values is []"));
  CHECK(contains(message([](SearchSpace& s) {
                   s.batch.values = {32, 1};
                 }),
                 "tune.batch.values is 1, expected 2 to 1000000"));
  CHECK(contains(message([](SearchSpace& s) { s.dropout.high = 1; }),
                 "tune.dropout.high is 1, expected at least 0, below 1"));
}

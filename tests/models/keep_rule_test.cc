// SPDX-License-Identifier: Apache-2.0
#include "models/keep_rule.h"

#include <doctest/doctest.h>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

using namespace genexx;

namespace {

// Which of these costs' epochs are kept, each with the standard error 0.5.
std::vector<bool> kept(const KeepRule& rule, const std::vector<double>& costs) {
  BestSoFar best(rule);
  std::vector<bool> all;
  for (const double cost : costs) all.push_back(best.observe(cost, 0.5));
  return all;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("keep_rule: each tie has its own rule") {
  const std::vector<double> costs = {3, 2, 2, 2.4, 2.6, 1, 1};

  CHECK(kept({.tie = Tie::first}, costs) == std::vector<bool>{true, true, false, false, false, true, false});
  CHECK(kept({.tie = Tie::latest}, costs) == std::vector<bool>{true, true, true, false, false, true, true});
  CHECK(kept({.tie = Tie::within_standard_error}, costs) ==
        std::vector<bool>{true, true, true, true, false, true, true});
}

TEST_CASE("keep_rule: nothing is kept that never gets better than the initial best") {
  CHECK(kept({.tie = Tie::first, .initial_best = 4}, {5, 4, 3.9}) == std::vector<bool>{false, false, true});
  CHECK(kept({.tie = Tie::latest, .initial_best = 4}, {5, 4, 4.1}) == std::vector<bool>{false, true, false});
  CHECK(kept({.tie = Tie::within_standard_error, .initial_best = 4}, {4.2, 4.2}) == std::vector<bool>{false, false});
}

TEST_CASE("keep_rule: a cost that is not a number is never kept and counts as an epoch without a better one") {
  BestSoFar best({.tie = Tie::latest});

  CHECK_FALSE(best.observe(kNan, 0));
  CHECK_FALSE(best.met());
  CHECK(best.observe(1, 0));
  CHECK(best.met());
  CHECK_FALSE(best.observe(kNan, 0));
  CHECK_FALSE(best.observe(2, 0));
  CHECK(best.since_best() == 2);
}

TEST_CASE("keep_rule: epochs within one standard error do not end the wait for a better one") {
  BestSoFar best({.tie = Tie::within_standard_error});

  best.observe(1, 0.5);
  CHECK(best.observe(1.2, 0.5));

  CHECK(best.since_best() == 1);
}

TEST_CASE("keep_rule: goes on from its state as if never interrupted") {
  for (const Tie tie : {Tie::first, Tie::latest, Tie::within_standard_error}) {
    const KeepRule rule = {.tie = tie, .initial_best = 10};
    BestSoFar whole(rule), begun(rule);
    for (const double cost : {12.0, 3.0, 4.0}) {
      whole.observe(cost, 1);
      begun.observe(cost, 1);
    }

    BestSoFar resumed(rule);
    resumed.restore(nlohmann::json::parse(begun.state().dump()));

    for (const double cost : {3.0, 3.5, 2.0, 2.0}) CHECK(resumed.observe(cost, 1) == whole.observe(cost, 1));
    CHECK(resumed.since_best() == whole.since_best());
    CHECK(resumed.met());
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "models/early_stopping.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"

using namespace genexx;
using Verdict = EarlyStopping::Verdict;

TEST_CASE("early_stopping: the lowest loss is best and patience counts from it") {
  EarlyStopping stopping({.patience = 2}, 1);

  CHECK(stopping.observe(0, 3.0) == Verdict::best);
  CHECK(stopping.observe(0, 2.0) == Verdict::best);
  CHECK(stopping.observe(0, 2.5) == Verdict::not_best);
  CHECK_FALSE(stopping.stopped(0));
  CHECK(stopping.observe(0, 2.0) == Verdict::not_best);
  CHECK(stopping.stopped(0));
  CHECK(*stopping.best_epoch(0) == 1);
  CHECK(*stopping.best_value(0) == 2.0);
}

TEST_CASE("early_stopping: the highest score is best where it is to be maximized") {
  EarlyStopping stopping({.objective = Objective::maximize, .patience = 5}, 1);

  CHECK(stopping.observe(0, -0.5) == Verdict::best);
  CHECK(stopping.observe(0, 0.25) == Verdict::best);
  CHECK(stopping.observe(0, 0.125) == Verdict::not_best);
  CHECK(*stopping.best_value(0) == 0.25);
}

TEST_CASE("early_stopping: a better value must be better by more than the least improvement") {
  EarlyStopping stopping({.patience = 3, .least_improvement = 0.5}, 1);

  CHECK(stopping.observe(0, 4.0) == Verdict::best);
  CHECK(stopping.observe(0, 3.5) == Verdict::not_best);
  CHECK(stopping.observe(0, 3.25) == Verdict::best);
}

TEST_CASE("early_stopping: NaN and infinities are never best and use up patience") {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  EarlyStopping stopping({.objective = Objective::maximize, .patience = 3}, 1);

  CHECK(stopping.observe(0, nan) == Verdict::not_best);
  CHECK(stopping.observe(0, inf) == Verdict::not_best);
  CHECK_FALSE(stopping.stopped(0));
  CHECK_FALSE(stopping.best_epoch(0).has_value());
  CHECK_FALSE(stopping.best_value(0).has_value());
  CHECK(stopping.observe(0, 0.5) == Verdict::best);
  CHECK(stopping.observe(0, nan) == Verdict::not_best);
  CHECK(stopping.observe(0, nan) == Verdict::not_best);
  CHECK_FALSE(stopping.stopped(0));
  CHECK(stopping.observe(0, nan) == Verdict::not_best);
  CHECK(stopping.stopped(0));
}

TEST_CASE("early_stopping: a replica that never gives a number stops too") {
  EarlyStopping stopping({.patience = 2}, 1);

  stopping.observe(0, std::numeric_limits<double>::quiet_NaN());
  stopping.observe(0, std::numeric_limits<double>::quiet_NaN());

  CHECK(stopping.stopped(0));
}

TEST_CASE("early_stopping: replicas are apart, and a stopped one keeps its best") {
  EarlyStopping stopping({.patience = 1}, 2);

  stopping.observe(0, 1.0);
  stopping.observe(1, 1.0);
  stopping.observe(0, 2.0);
  stopping.observe(1, 0.5);
  CHECK(stopping.stopped(0));
  CHECK_FALSE(stopping.stopped(1));
  CHECK_FALSE(stopping.all_stopped());
  CHECK(stopping.observe(0, 0.1) == Verdict::not_best);
  CHECK(*stopping.best_value(0) == 1.0);
  stopping.observe(1, 0.6);
  CHECK(stopping.all_stopped());
}

TEST_CASE("early_stopping: without patience no replica stops") {
  EarlyStopping stopping({}, 1);
  for (int epoch = 0; epoch < 1000; ++epoch) stopping.observe(0, epoch);

  CHECK_FALSE(stopping.stopped(0));
  CHECK(*stopping.best_epoch(0) == 0);
}

TEST_CASE("early_stopping: restored through text it goes on as if never interrupted") {
  const double values[] = {0.1 + 0.2, 1.0 / 3, 0.3, 0.30000000000000004, 0.29999999999999999, 0.4, 0.5, 0.6};
  const EarlyStoppingConfig config = {.patience = 3};
  EarlyStopping whole(config, 2);
  for (std::size_t cut = 0; cut < 8; ++cut) {
    CAPTURE(cut);
    EarlyStopping resumed(config, 2);
    resumed.restore(nlohmann::json::parse(whole.state().dump()));
    EarlyStopping reference = whole;
    for (std::size_t i = cut; i < 8; ++i) {
      CHECK(resumed.observe(1, values[i]) == reference.observe(1, values[i]));
      CHECK(resumed.stopped(1) == reference.stopped(1));
      CHECK(resumed.best_value(1) == reference.best_value(1));
      CHECK(resumed.best_epoch(1) == reference.best_epoch(1));
    }
    whole.observe(1, values[cut]);
  }
  CHECK(whole.state()[0]["best_epoch"].is_null());
}

TEST_CASE("early_stopping: foreign states and impossible settings are refused") {
  EarlyStopping stopping({}, 2);

  CHECK_THROWS_WITH_AS(stopping.restore(EarlyStopping({}, 3).state()), doctest::Contains("for 3 replicas, expected 2"),
                       InputError);
  CHECK_THROWS_WITH_AS(stopping.restore(nlohmann::json::parse("{}")), doctest::Contains("for no replicas"), InputError);
  CHECK_THROWS_WITH_AS(stopping.restore(nlohmann::json::parse("[{}, {}]")), doctest::Contains("cannot be read"),
                       InputError);
  CHECK_THROWS_WITH_AS(EarlyStopping({.patience = -1}, 1), doctest::Contains("patience is -1"), UsageError);
  CHECK_THROWS_WITH_AS(EarlyStopping({.least_improvement = -0.5}, 1), doctest::Contains("least improvement is -0.5"),
                       UsageError);
}

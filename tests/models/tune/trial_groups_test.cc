// SPDX-License-Identifier: Apache-2.0
#include "models/tune/trial_groups.h"

#include <doctest/doctest.h>

using namespace genexx::tune;

namespace {

using Trials = std::vector<std::int64_t>;

Hyperparameters shaped(std::int64_t layers, std::int64_t units, std::int64_t batch, double rate) {
  return {
      .learning_rate = rate, .weight_decay = rate, .layers = layers, .units = units, .batch = batch, .dropout = rate};
}

}  // namespace

TEST_CASE("trial_groups: trials of one shape are together, whatever their rates") {
  const std::vector<Hyperparameters> h = {shaped(1, 64, 32, 0.1), shaped(2, 64, 32, 0.2), shaped(1, 64, 32, 0.3),
                                          shaped(1, 64, 16, 0.1), shaped(1, 32, 32, 0.1), shaped(2, 64, 32, 0.4)};

  const std::vector<TrialGroup> groups = group_by_shape(h, {0, 1, 2, 3, 4, 5});

  REQUIRE(groups.size() == 4);
  CHECK(groups[0].trials == Trials{0, 2});
  CHECK(groups[1].trials == Trials{1, 5});
  CHECK(groups[2].trials == Trials{3});
  CHECK(groups[3].trials == Trials{4});
  CHECK(groups[1].layers == 2);
  CHECK(groups[2].batch == 16);
  CHECK(groups[3].units == 32);
}

TEST_CASE("trial_groups: more trials leave the order of the groups") {
  const std::vector<Hyperparameters> h = {shaped(1, 64, 32, 0.1), shaped(2, 64, 32, 0.2), shaped(1, 64, 32, 0.3)};

  const std::vector<TrialGroup> few = group_by_shape(h, {0, 1}), more = group_by_shape(h, {0, 1, 2});

  REQUIRE(few.size() == more.size());
  CHECK(more[0].trials == Trials{0, 2});
  CHECK(few[1].trials == more[1].trials);
}

TEST_CASE("trial_groups: parts are even and none is larger than the limit") {
  CHECK(split_evenly({3, 4, 8, 9, 10}, 2) == std::vector<Trials>{{3}, {4, 8}, {9, 10}});
  CHECK(split_evenly({3, 4, 8, 9}, 3) == std::vector<Trials>{{3, 4}, {8, 9}});
  CHECK(split_evenly({3, 4}, 7) == std::vector<Trials>{{3, 4}});
  CHECK(split_evenly({}, 7).empty());
}

TEST_CASE("trial_groups: as many as the budget holds, at least one") {
  const auto bytes = [](std::int64_t count) { return 100 + 30 * count; };

  CHECK(most_within(10, 250, bytes) == 5);
  CHECK(most_within(10, 249, bytes) == 4);
  CHECK(most_within(3, 1'000'000, bytes) == 3);
  CHECK(most_within(10, 0, bytes) == 1);
  CHECK(most_within(1, 0, bytes) == 1);
}

TEST_CASE("trial_groups: jobs are shared out by their cost, the costliest first") {
  CHECK(shared_out({1, 5, 1, 4, 2}, 2) == std::vector<int>{0, 0, 0, 1, 1});
  CHECK(shared_out({3, 3, 3}, 4) == std::vector<int>{0, 1, 2});
  CHECK(shared_out({}, 3).empty());
}

// SPDX-License-Identifier: Apache-2.0
#include "models/retraining.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "models/prepared_cells.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;

namespace {

EpochRecord epoch(const char* phase, std::int64_t number, std::int64_t replica, bool best) {
  EpochRecord r;
  r.phase = phase;
  r.epoch = number;
  r.replica = replica;
  r.best = best;
  return r;
}

const PhaseConfig kTrain = {.name = "train", .epochs = 9, .keep = {{.name = "best"}}, .ends_with = 0};

std::vector<std::int64_t> joined(const ReplicaTask& task) {
  std::vector<std::int64_t> cells = task.train;
  cells.insert(cells.end(), task.validation.begin(), task.validation.end());
  std::sort(cells.begin(), cells.end());
  return cells;
}

}  // namespace

TEST_CASE("retraining: takes the validation cells in, for the epochs that each replica's own history chose") {
  const TrainingSet set = toy_training_set({}, 1);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 3);
  REQUIRE(!tasks[0].validation.empty());
  const std::vector<EpochRecord> history = {epoch("pretrain", 1, 0, true), epoch("train", 1, 0, true),
                                            epoch("train", 1, 1, true),    epoch("train", 2, 0, false),
                                            epoch("train", 2, 1, true),    epoch("train", 3, 1, true)};

  const std::vector<ReplicaTask> again = retraining_tasks(set, tasks, history, kTrain);

  REQUIRE(again.size() == 2);
  CHECK(again[0].last_phase_epochs == 1);
  CHECK(again[1].last_phase_epochs == 3);
  for (std::size_t r = 0; r < 2; ++r) {
    CHECK(again[r].train == joined(tasks[r]));
    CHECK(again[r].validation.empty());
    CHECK(again[r].seed == tasks[r].seed);
  }
}

TEST_CASE("retraining: without a choice of weights it takes as many epochs as there were") {
  const TrainingSet set = toy_training_set({}, 1);
  PhaseConfig last = kTrain;
  last.ends_with = PhaseConfig::kLast;
  const std::vector<EpochRecord> history = {epoch("train", 1, 0, true), epoch("train", 2, 0, false)};

  CHECK(retraining_tasks(set, toy_replicas(set, 1, 3), history, last)[0].last_phase_epochs == 2);
}

TEST_CASE("retraining: classes that were balanced are balanced anew") {
  const TrainingSet set = toy_training_set({}, 1);
  std::vector<ReplicaTask> tasks = toy_replicas(set, 1, 3);
  balance_classes(set, tasks);

  const ReplicaTask again = retraining_tasks(set, tasks, {epoch("train", 1, 0, true)}, kTrain)[0];

  REQUIRE(again.cell_weights.size() == again.train.size());
  std::vector<double> of_class(static_cast<std::size_t>(set.classes));
  for (std::size_t i = 0; i < again.train.size(); ++i)
    of_class[static_cast<std::size_t>(set.labels[static_cast<std::size_t>(again.train[i])])] += again.cell_weights[i];
  for (const double sum : of_class) CHECK(sum == doctest::Approx(of_class[0]));
}

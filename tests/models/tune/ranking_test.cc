// SPDX-License-Identifier: Apache-2.0
#include "models/tune/ranking.h"

#include <limits>

#include <doctest/doctest.h>

using namespace genexx;
using namespace genexx::tune;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

EpochRecord epoch(std::int64_t number, double loss, double accuracy, double macro_f1, double train_loss = 1) {
  return {.phase = "train", .epoch = number, .losses = {train_loss}, .validation = {loss, accuracy, macro_f1, kNan}};
}

TrialResult ended_with(double loss, double accuracy) {
  return {.epochs = 3, .best_epoch = 2, .best = {loss, accuracy, 0, kNan}, .diverged = false};
}

using Places = std::vector<std::size_t>;
using Epochs = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("ranking: the best epoch is that of the best score, equals by the loss, then the first") {
  const std::vector<EpochRecord> history = {epoch(1, 0.9, 0.5, 0.6), epoch(2, 0.7, 0.8, 0.4), epoch(3, 0.6, 0.8, 0.4),
                                            epoch(4, 0.6, 0.8, 0.4), epoch(5, 0.5, 0.7, 0.5)};

  CHECK(result_of(history, "accuracy").best_epoch == 3);
  CHECK(result_of(history, "macro_f1").best_epoch == 1);
  CHECK(result_of(history, "loss").best_epoch == 5);
  CHECK(result_of(history, "accuracy").epochs == 5);
  CHECK(result_of(history, "loss").best.accuracy == 0.7);
  CHECK_FALSE(result_of(history, "loss").diverged);
}

TEST_CASE("ranking: a trial whose loss is not finite has diverged, and keeps what it had before") {
  const TrialResult r = result_of({epoch(1, 0.9, 0.5, 0.5), epoch(2, kNan, 0.9, 0.9, kNan)}, "accuracy");

  CHECK(r.diverged);
  CHECK(r.epochs == 2);
  CHECK(r.best_epoch == 1);
  CHECK(r.best.accuracy == 0.5);
}

TEST_CASE("ranking: trials that diverged come last, equals in their order") {
  TrialResult diverged = ended_with(0.1, 0.99);
  diverged.diverged = true;
  const std::vector<TrialResult> results = {ended_with(0.5, 0.8), diverged, ended_with(0.4, 0.8), ended_with(0.9, 0.9),
                                            ended_with(0.5, 0.8)};

  CHECK(ranked(results, "accuracy") == Places{3, 2, 0, 4, 1});
  CHECK(ranked(results, "loss") == Places{2, 0, 4, 3, 1});
}

TEST_CASE("ranking: the rungs of successive halving") {
  CHECK(rungs(0, 20, 15) == Epochs{15});
  CHECK(rungs(2, 20, 16) == Epochs{1, 2, 4, 8, 16});
  CHECK(rungs(3, 20, 15) == Epochs{1, 5, 15});
  CHECK(rungs(3, 2, 15) == Epochs{15});
  CHECK(rungs(3, 20, 2) == Epochs{2});
  CHECK(rungs(4, 100, 100) == Epochs{1, 6, 25, 100});
}

TEST_CASE("ranking: one in so many survives, at least one, none that diverged") {
  TrialResult diverged = ended_with(0.1, 0.99);
  diverged.diverged = true;
  const std::vector<TrialResult> results = {ended_with(0.5, 0.1), ended_with(0.5, 0.7), ended_with(0.5, 0.2),
                                            ended_with(0.5, 0.9), ended_with(0.5, 0.3)};

  CHECK(survivors(results, "accuracy", 2) == Places{1, 3});
  CHECK(survivors(results, "accuracy", 3) == Places{3});
  CHECK(survivors(results, "accuracy", 9) == Places{3});
  CHECK(survivors({diverged, ended_with(0.5, 0.1), diverged, diverged}, "accuracy", 2) == Places{1});
  CHECK(survivors({diverged}, "accuracy", 2).empty());
}

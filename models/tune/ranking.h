// SPDX-License-Identifier: Apache-2.0
// Who is ahead: the best epoch of a trial, the order of trials, and the rungs of successive halving.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/trainer.h"

namespace genexx::tune {

// What came of a trial so far.
struct TrialResult {
  std::int64_t epochs = 0;      // trained
  std::int64_t best_epoch = 0;  // 0: none had a finite loss
  Judgement best;               // on the validation cells after the best epoch
  bool diverged = false;        // a loss stopped being finite
};

// Whether `a` beats `b` by `score` ("accuracy", "macro_f1": higher; "loss": lower); equals go by the lower loss. What
// is not finite is beaten by what is.
bool better(const Judgement& a, const Judgement& b, const std::string& score);

// The result of one trial from the history of its replica, epochs in order; the best epoch is the first of equals.
TrialResult result_of(const std::vector<EpochRecord>& history, const std::string& score);

// Places in `results` from the best to the worst: trials that diverged come last, equals in the order they stand in.
std::vector<std::size_t> ranked(const std::vector<TrialResult>& results, const std::string& score);

// Epochs after which trials are compared, the last of them `epochs`; one rung where `factor` is 0. Rung i has epochs /
// factor^(rungs - 1 - i) epochs, at least 1, as many rungs as trials and epochs can be divided by factor.
// Source: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS
// 2016, figure 2; number of rungs after Li et al., "Hyperband", JMLR 18, 2018, algorithm 1.
std::vector<std::int64_t> rungs(std::int64_t factor, std::int64_t trials, std::int64_t epochs);

// Places in `results` that go on to the next rung, ascending: the best 1/factor, rounded down, at least one; none that
// diverged.
std::vector<std::size_t> survivors(const std::vector<TrialResult>& results, const std::string& score,
                                   std::int64_t factor);

}  // namespace genexx::tune

// SPDX-License-Identifier: Apache-2.0
// The trials of a random search, trained: joint runs of trials of one shape, rung by rung, each trial once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/context.h"
#include "models/mlp/config.h"
#include "models/tune/config.h"
#include "models/tune/ranking.h"
#include "models/tune/trial_groups.h"
#include "tools/training_run.h"

namespace genexx::tools {

struct Trial {
  std::int64_t number = 0;
  std::int64_t group = 0;  // of trials of one shape
  tune::Hyperparameters hyperparameters;
  std::int64_t rungs_done = 0;
  std::vector<EpochRecord> history;  // EpochRecord::replica is the trial's number
  tune::TrialResult result;
};

// What all trials share.
struct SearchTask {
  Context& ctx;
  const tune::Config& config;        // resolved
  const mlp::Config& base;           // resolved: every setting that is not drawn
  std::vector<std::int64_t> trials;  // the numbers of those to be trained, ascending
  const ReadingOptions& reading;     // threads, memory check
  std::uint64_t seed = 0;            // of the draws, and of every trial's first weights and order of cells
};

class Search {
 public:
  // `plan` holds the prepared cells; it is laid out anew for every run. `records.identity` is that of the whole search,
  // `records.checkpoint` is set by the search. All references must outlive it.
  Search(const SearchTask& task, TrainingPlan& plan, const TrainingRecords& records);

  // Trains what is left to do: trials that an earlier run of the same identity finished are not trained again. Throws
  // as run_trainer.
  void run();

  const std::vector<Trial>& trials() const { return trials_; }
  // Places in trials() from the best to the worst: trials that came further are before those that halving ended.
  std::vector<std::size_t> ranking() const;
  // "done", "stopped early" (train.patience), "halved" or "diverged".
  std::string state_of(const Trial& trial) const;
  const std::vector<std::int64_t>& rungs() const { return rungs_; }

 private:
  // Trials of one shape that are trained together.
  struct Part {
    std::vector<std::int64_t> trials;  // numbers, ascending
  };
  void load_progress();
  void save_progress() const;
  void make_parts();
  std::int64_t most_together(const tune::TrialGroup& group);
  std::vector<std::int64_t> members(const Part& part, std::size_t rung) const;
  void lay_out_trials(const std::vector<std::int64_t>& numbers);
  void end_rung(std::size_t rung);
  void run_part(const Part& part, std::size_t rung);
  // With several ranks, instead of it for every part: parts are trained side by side, each by one rank.
  struct Errand;
  void run_on_ranks(std::size_t rung);
  std::vector<Errand> errands_of(std::size_t rung);
  void train_errand(Errand& errand, std::size_t rung, std::chrono::steady_clock::time_point deadline);
  void bring_home(Errand& errand, std::size_t rung);
  std::optional<Trainer::State> to_root(const Errand& errand) const;
  static std::string checkpoint_of(std::int64_t first_trial, std::size_t rung);
  void inherit_checkpoint(const Part& part, std::size_t rung, const std::vector<std::int64_t>& numbers) const;
  nlohmann::json identity_of_run(std::size_t rung, const std::vector<std::int64_t>& numbers) const;
  void take_results(const std::vector<std::int64_t>& numbers, const std::vector<EpochRecord>& history);
  Trial& trial(std::int64_t number);

  SearchTask task_;
  TrainingPlan& plan_;
  TrainingRecords records_;
  std::vector<std::int64_t> rungs_;  // epochs of each
  std::vector<Trial> trials_;        // ascending numbers
  std::vector<tune::TrialGroup> groups_;
  std::vector<Part> parts_;
  std::vector<std::vector<std::int64_t>> in_rung_;  // numbers of the trials that reach each rung
};

}  // namespace genexx::tools

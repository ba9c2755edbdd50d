// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_search.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/error.h"
#include "models/classification.h"
#include "models/history_json.h"
#include "models/mlp/tuned.h"
#include "models/trainer_state.h"
#include "tools/memory_budget.h"

namespace genexx::tools {
namespace {

constexpr const char* kProgress = "trials";  // name of the checkpoint that holds what finished trials came to

bool contains(const std::vector<std::int64_t>& sorted, std::int64_t number) {
  return std::binary_search(sorted.begin(), sorted.end(), number);
}

}  // namespace

std::string Search::checkpoint_of(std::int64_t first_trial, std::size_t rung) {
  return fmt::format("trials-from-{}-rung-{}", first_trial, rung);
}

Search::Search(const SearchTask& task, TrainingPlan& plan, const TrainingRecords& records)
    : task_(task), plan_(plan), records_(records) {
  rungs_ = tune::rungs(task.config.halving, static_cast<std::int64_t>(task.trials.size()), task.config.epochs);
  std::vector<tune::Hyperparameters> drawn;
  for (std::int64_t k = 0; k <= task.trials.back(); ++k) drawn.push_back(draw(task.config.space, task.seed, k));
  groups_ = tune::group_by_shape(drawn, task.trials);
  for (const std::int64_t number : task.trials) {
    const auto group = std::find_if(groups_.begin(), groups_.end(),
                                    [&](const tune::TrialGroup& g) { return contains(g.trials, number); });
    trials_.push_back({.number = number,
                       .group = group - groups_.begin(),
                       .hyperparameters = drawn[static_cast<std::size_t>(number)],
                       .rungs_done = 0,
                       .history = {},
                       .result = {}});
  }
  load_progress();
}

Trial& Search::trial(std::int64_t number) {
  return *std::find_if(trials_.begin(), trials_.end(), [&](const Trial& t) { return t.number == number; });
}

// Which trials were put together is part of the progress: a later run may find another amount of memory, but goes on
// with the checkpoints of this one.
void Search::save_progress() const {
  nlohmann::json parts = nlohmann::json::array(), finished = nlohmann::json::array();
  for (const Part& part : parts_) parts.push_back(part.trials);
  for (const Trial& t : trials_)
    if (t.rungs_done > 0)
      finished.push_back({{"trial", t.number}, {"rungs", t.rungs_done}, {"history", history_to_json(t.history)}});
  const nlohmann::json progress = {{"parts", parts}, {"finished", finished}};
  records_.out.save_checkpoint(kProgress, {{}, progress.dump()}, records_.identity);
}

void Search::load_progress() {
  if (records_.start != TrainingRecords::Start::resume) return;
  const auto state = records_.out.load_checkpoint(kProgress, records_.identity);
  if (!state) return;
  try {
    const nlohmann::json progress = nlohmann::json::parse(state->json);
    for (const nlohmann::json& part : progress.at("parts")) parts_.push_back({part.get<std::vector<std::int64_t>>()});
    for (const nlohmann::json& one : progress.at("finished")) {
      const auto number = one.at("trial").get<std::int64_t>();
      if (!contains(task_.trials, number)) continue;  // an earlier, longer search
      Trial& t = trial(number);
      t.rungs_done = one.at("rungs").get<std::int64_t>();
      t.history = history_from_json(one.at("history"));
      t.result = tune::result_of(t.history, task_.config.score);
    }
  } catch (const nlohmann::json::exception& error) {
    throw InputError(records_.out.file("checkpoint") + ": the progress of the search is damaged: " + error.what());
  }
}

// Trials of a shape in parts that the memory holds; trials that a resumed search has in a part already stay there.
void Search::make_parts() {
  for (const tune::TrialGroup& group : groups_) {
    tune::TrialGroup left = group;
    for (const Part& part : parts_)
      for (const std::int64_t number : part.trials)
        left.trials.erase(std::remove(left.trials.begin(), left.trials.end(), number), left.trials.end());
    if (left.trials.empty()) continue;
    for (std::vector<std::int64_t>& together : tune::split_evenly(left.trials, most_together(left)))
      parts_.push_back({std::move(together)});
  }
  std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.trials[0] < b.trials[0]; });
  if (!records_.out.ranks()) return;
  nlohmann::json of_root = nlohmann::json::array();  // whose memory decides
  for (const Part& part : parts_) of_root.push_back(part.trials);
  of_root = nlohmann::json::parse(records_.out.ranks()->broadcast_text(of_root.dump()));
  parts_.clear();
  for (const nlohmann::json& part : of_root) parts_.push_back({part.get<std::vector<std::int64_t>>()});
}

std::int64_t Search::most_together(const tune::TrialGroup& group) {
  auto most = static_cast<std::int64_t>(group.trials.size());
  if (task_.config.together > 0) most = std::min(most, task_.config.together);
  if (const Communicator* ranks = records_.out.ranks())  // no part is to be more than a rank's share of all
    most = std::min(most, (static_cast<std::int64_t>(task_.trials.size()) + ranks->size() - 1) / ranks->size());
  return tune::most_within(most, available_memory(), [&](std::int64_t count) {
    lay_out_trials({group.trials.begin(), group.trials.begin() + count});
    return estimate_training_bytes(plan_.network, plan_.prepared, plan_.tasks, plan_.trainer,
                                   thread_count(task_.reading));
  });
}

void Search::lay_out_trials(const std::vector<std::int64_t>& numbers) {
  mlp::Config config = mlp::of_group(task_.base, trial(numbers.front()).hyperparameters);
  config.epochs = task_.config.epochs;
  lay_out(plan_, config, static_cast<std::int64_t>(numbers.size()), task_.seed);
  plan_.trainer.on_divergence = OnDivergence::retire;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    plan_.tasks[i].seed = static_cast<std::int64_t>(task_.seed);
    mlp::tell_apart(plan_.tasks[i], trial(numbers[i]).hyperparameters);
  }
}

void Search::run() {
  make_parts();
  in_rung_ = {task_.trials};
  for (std::size_t rung = 0; rung < rungs_.size(); ++rung) {
    if (records_.out.ranks())
      run_on_ranks(rung);
    else
      for (const Part& part : parts_) run_part(part, rung);
    end_rung(rung);
  }
}

std::vector<std::int64_t> Search::members(const Part& part, std::size_t rung) const {
  std::vector<std::int64_t> numbers;
  std::copy_if(part.trials.begin(), part.trials.end(), std::back_inserter(numbers),
               [&](std::int64_t number) { return contains(in_rung_[rung], number); });
  return numbers;
}

// Who goes on to the next rung.
void Search::end_rung(std::size_t rung) {
  if (rung + 1 == rungs_.size()) return;
  std::vector<tune::TrialResult> results;
  for (const std::int64_t number : in_rung_[rung]) {
    const Trial& t = trial(number);
    // A trial that went on is compared by what it was at this rung.
    std::vector<EpochRecord> until_now;
    std::copy_if(t.history.begin(), t.history.end(), std::back_inserter(until_now),
                 [&](const EpochRecord& r) { return r.epoch <= rungs_[rung]; });
    results.push_back(tune::result_of(until_now, task_.config.score));
  }
  in_rung_.emplace_back();
  for (const std::size_t i : tune::survivors(results, task_.config.score, task_.config.halving))
    in_rung_.back().push_back(in_rung_[rung][i]);
  for (const Part& part : parts_)
    if (members(part, rung + 1).empty()) records_.out.remove_checkpoint(checkpoint_of(part.trials.front(), rung));
  records_.console.say(fmt::format("after {} epochs {} of {} trials go on: {}", rungs_[rung], in_rung_.back().size(),
                                   in_rung_[rung].size(), fmt::join(in_rung_.back(), ", ")));
}

nlohmann::json Search::identity_of_run(std::size_t rung, const std::vector<std::int64_t>& numbers) const {
  nlohmann::json identity = records_.identity;
  identity["trials"] = numbers;
  identity["rung"] = rung;
  return identity;
}

// Where a part begins a rung, the state of its survivors at the end of the rung before.
void Search::inherit_checkpoint(const Part& part, std::size_t rung, const std::vector<std::int64_t>& numbers) const {
  const std::string name = checkpoint_of(part.trials.front(), rung);
  if (rung == 0 || records_.out.has_checkpoint(name)) return;
  const std::vector<std::int64_t> before = members(part, rung - 1);
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (contains(numbers, before[i])) places.push_back(static_cast<std::int64_t>(i));
  const auto state =
      records_.out.load_checkpoint(checkpoint_of(part.trials.front(), rung - 1), identity_of_run(rung - 1, before));
  if (!state)
    throw InputError(records_.out.file("checkpoint") + ": the state of trials " +
                     fmt::format("{}", fmt::join(before, ", ")) +
                     " is not there any more; start anew with --overwrite");
  records_.out.save_checkpoint(name, state_of_replicas(*state, plan_.network, places), identity_of_run(rung, numbers));
}

void Search::run_part(const Part& part, std::size_t rung) {
  const std::vector<std::int64_t> numbers = members(part, rung);
  if (std::all_of(numbers.begin(), numbers.end(),
                  [&](std::int64_t number) { return trial(number).rungs_done > static_cast<std::int64_t>(rung); }))
    return;
  lay_out_trials(numbers);
  const std::int64_t bytes =
      estimate_training_bytes(plan_.network, plan_.prepared, plan_.tasks, plan_.trainer, thread_count(task_.reading));
  const tune::Hyperparameters& shape = trial(numbers.front()).hyperparameters;
  records_.console.say(fmt::format("{} {}: {} of {} units, batch {}, to epoch {}; about {} more memory",
                                   numbers.size() == 1 ? "trial" : "trials", fmt::join(numbers, ", "),
                                   shape.layers == 1 ? "1 layer" : fmt::format("{} layers", shape.layers), shape.units,
                                   shape.batch, rungs_[rung], bytes_text(bytes)));
  expect_memory(bytes, "training these trials", memory_check(task_.reading));
  inherit_checkpoint(part, rung, numbers);
  TrainingRecords records = records_;
  records.checkpoint = checkpoint_of(part.trials.front(), rung);
  records.identity = identity_of_run(rung, numbers);
  records.start = TrainingRecords::Start::resume;  // of a fresh search there is no checkpoint
  const bool last = rung + 1 == rungs_.size();
  run_trainer(
      task_.ctx,
      {plan_.network,
       plan_.prepared.set,
       plan_.tasks,
       plan_.trainer,
       {},
       last ? TrainerInput::kToTheEnd : rungs_[rung]},
      records, [](const Trainer&) {},
      [&](const Trainer& trainer) {
        take_results(numbers, trainer.history());
        if (!last) records_.out.save_checkpoint(records.checkpoint, trainer.state(), records.identity);
      });
  for (const std::int64_t number : numbers) trial(number).rungs_done = static_cast<std::int64_t>(rung) + 1;
  save_progress();
  if (last) records_.out.remove_checkpoint(records.checkpoint);
  if (rung > 0) records_.out.remove_checkpoint(checkpoint_of(part.trials.front(), rung - 1));
}

void Search::take_results(const std::vector<std::int64_t>& numbers, const std::vector<EpochRecord>& history) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    Trial& t = trial(numbers[i]);
    t.history.clear();
    for (const EpochRecord& r : history) {
      if (r.replica != static_cast<std::int64_t>(i)) continue;
      t.history.push_back(r);
      t.history.back().replica = t.number;
    }
    t.result = tune::result_of(t.history, task_.config.score);
    records_.out.log("trial", {{"trial", t.number},
                               {"epochs", t.result.epochs},
                               {"best_epoch", t.result.best_epoch},
                               {"validation_accuracy", t.result.best.accuracy},
                               {"diverged", t.result.diverged}});
  }
}

std::vector<std::size_t> Search::ranking() const {
  std::vector<tune::TrialResult> results;
  for (const Trial& t : trials_) results.push_back(t.result);
  std::vector<std::size_t> order = tune::ranked(results, task_.config.score);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (results[a].diverged != results[b].diverged) return results[b].diverged;
    return trials_[a].rungs_done > trials_[b].rungs_done;
  });
  return order;
}

std::string Search::state_of(const Trial& t) const {
  if (t.result.diverged) return "diverged";
  if (t.rungs_done < static_cast<std::int64_t>(rungs_.size())) return "halved";
  return t.result.epochs < task_.config.epochs ? "stopped early" : "done";
}

}  // namespace genexx::tools

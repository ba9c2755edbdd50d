// SPDX-License-Identifier: Apache-2.0
// A search on several ranks: every rank trains parts of its own, and from time to time all bring rank 0 how far they
// came, which writes it down.
#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "engine/tensor_packing.h"
#include "models/classification.h"
#include "models/history_json.h"
#include "models/tune/trial_groups.h"
#include "tools/memory_budget.h"
#include "tools/stop_signal.h"
#include "tools/tune_search.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;

// How long ranks work between two meetings; a rank that is done earlier waits for an epoch of the others at most.
constexpr std::chrono::seconds kRound{120};
constexpr int kRunsPerCopy = 20;  // training lasts so many times as long as copying its state

// The last state of a training that may be left at any time.
class LatestState {
 public:
  explicit LatestState(Clock::time_point deadline) : deadline_(deadline) {}

  void after_epoch(const Trainer& trainer) {
    const Clock::time_point begin = Clock::now();
    over_ = begin >= deadline_ || stop_requested();
    current_ = !state_ || over_ || begin - last_ >= kRunsPerCopy * cost_;
    if (!current_) return;
    state_ = trainer.state();
    last_ = Clock::now();
    cost_ = last_ - begin;
  }
  // Between steps, on any thread: whether to leave, losing no epoch that is done.
  bool should_stop() const { return current_ && (over_ || stop_requested()); }
  std::optional<Trainer::State>& state() { return state_; }

 private:
  Clock::time_point deadline_, last_{};
  Clock::duration cost_{};
  std::optional<Trainer::State> state_;
  bool over_ = false, current_ = false;
};

}  // namespace

// A part in a rung, and how far its rank has come with it.
struct Search::Errand {
  const Part* part = nullptr;
  std::vector<std::int64_t> numbers;
  int owner = 0;
  std::optional<Trainer::State> state;  // to go on from; on the owner
  std::vector<EpochRecord> history;     // on the owner
  bool is_new = false;                  // the state is not written yet; on the owner
  bool trained = false;                 // to the end of the rung; on the owner
  bool finished = false;                // all know what it came to
};

std::vector<Search::Errand> Search::errands_of(std::size_t rung) {
  std::vector<Errand> errands;
  std::vector<double> costs;
  for (const Part& part : parts_) {
    Errand e;
    e.part = &part;
    e.numbers = members(part, rung);
    const auto done = [&](std::int64_t number) { return trial(number).rungs_done > static_cast<std::int64_t>(rung); };
    if (std::all_of(e.numbers.begin(), e.numbers.end(), done)) continue;
    lay_out_trials(e.numbers);
    inherit_checkpoint(part, rung, e.numbers);
    e.state = records_.out.load_checkpoint(checkpoint_of(part.trials.front(), rung), identity_of_run(rung, e.numbers));
    costs.push_back(static_cast<double>(e.numbers.size()) * static_cast<double>(plan_.network.parameter_count()));
    errands.push_back(std::move(e));
  }
  const std::vector<int> owners = tune::shared_out(costs, records_.out.ranks()->size());
  for (std::size_t i = 0; i < errands.size(); ++i) {
    errands[i].owner = owners[i];
    if (owners[i] != records_.out.ranks()->rank()) errands[i].state.reset();
  }
  return errands;
}

void Search::run_on_ranks(std::size_t rung) {
  Communicator& ranks = *records_.out.ranks();
  std::vector<Errand> errands = errands_of(rung);
  records_.console.say(
      fmt::format("to epoch {}: {} groups of trials on {} ranks", rungs_[rung], errands.size(), ranks.size()));
  const auto finished = [](const Errand& e) { return e.finished; };
  while (!std::all_of(errands.begin(), errands.end(), finished)) {
    const Clock::time_point deadline = Clock::now() + kRound;
    for (Errand& e : errands)
      if (e.owner == ranks.rank() && !e.trained && Clock::now() < deadline && !stop_requested())
        train_errand(e, rung, deadline);
    const bool stop = ranks.any(stop_requested());
    for (Errand& e : errands) bring_home(e, rung);
    if (!stop || std::all_of(errands.begin(), errands.end(), finished)) continue;
    const std::string message = fmt::format("stopped before epoch {} of all trials by {}", rungs_[rung],
                                            stop_requested() ? stop_reason() : "what another rank was asked");
    if (!records_.out.has_checkpoint()) throw RuntimeError(message + "; there is no checkpoint yet");
    throw StoppedError(message + "; the checkpoint is valid, go on with --resume");
  }
}

// On the owner: trains until it is done or the time is over.
void Search::train_errand(Errand& e, std::size_t rung, Clock::time_point deadline) {
  lay_out_trials(e.numbers);
  const std::int64_t bytes =
      estimate_training_bytes(plan_.network, plan_.prepared, plan_.tasks, plan_.trainer, thread_count(task_.reading));
  expect_memory(bytes, "training these trials", memory_check(task_.reading));
  const bool last = rung + 1 == rungs_.size();
  LatestState latest(deadline);
  const Trainer* running = nullptr;
  TrainerHooks hooks;
  hooks.on_checkpoint = [&] { latest.after_epoch(*running); };
  hooks.should_stop = [&] { return latest.should_stop(); };
  Trainer trainer(task_.ctx, plan_.network, plan_.prepared.set, plan_.tasks, plan_.trainer, std::move(hooks));
  running = &trainer;
  if (e.state) trainer.resume(*e.state);
  try {
    trainer.run_to(last ? TrainerInput::kToTheEnd : rungs_[rung]);
    e.trained = true;
    e.history = trainer.history();
    if (!last) latest.state() = trainer.state();
  } catch (const StoppedError&) {  // the latest state is that of the last epoch
  }
  if (!latest.state()) return;
  e.state = std::move(latest.state());
  e.is_new = true;
}

// All ranks: what the owner came to becomes known to all, and rank 0 writes it down.
void Search::bring_home(Errand& e, std::size_t rung) {
  Communicator& ranks = *records_.out.ranks();
  if (e.finished) return;
  const bool owner = e.owner == ranks.rank(), last = rung + 1 == rungs_.size();
  e.finished = ranks.broadcast_flag(owner && e.trained, e.owner);
  const bool is_new = ranks.broadcast_flag(owner && e.is_new, e.owner) && !(e.finished && last);
  const std::string name = checkpoint_of(e.part->trials.front(), rung);
  if (is_new) {
    std::optional<Trainer::State> state = to_root(e);
    if (state) records_.out.save_checkpoint(name, std::move(*state), identity_of_run(rung, e.numbers));
    e.is_new = false;
  }
  if (!e.finished) return;
  const std::string history = ranks.broadcast_text(owner ? history_to_json(e.history).dump() : "", e.owner);
  take_results(e.numbers, history_from_json(nlohmann::json::parse(history)));
  for (const std::int64_t number : e.numbers) trial(number).rungs_done = static_cast<std::int64_t>(rung) + 1;
  save_progress();
  if (last) records_.out.remove_checkpoint(name);
  if (rung > 0) records_.out.remove_checkpoint(checkpoint_of(e.part->trials.front(), rung - 1));
}

// The owner's state, on rank 0 alone.
std::optional<Trainer::State> Search::to_root(const Errand& e) const {
  Communicator& ranks = *records_.out.ranks();
  const bool owner = e.owner == ranks.rank();
  if (e.owner == 0) return owner ? e.state : std::nullopt;
  std::vector<std::byte> mine;
  if (owner) mine = pack_tensors(e.state->tensors);
  const auto parts = ranks.gather_bytes(mine);
  const std::string json = ranks.broadcast_text(owner ? e.state->json : "", e.owner);
  if (!ranks.is_root()) return std::nullopt;
  return Trainer::State{unpack_tensors(parts[static_cast<std::size_t>(e.owner)]), json};
}

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include <nlohmann/json.hpp>

#include "bench/training/case_file.h"
#include "bench/training/step_options.h"
#include "engine/error.h"

namespace genexx::bench {
namespace {

std::vector<ReplicaTask> tasks_of(const StepOptions& o, const StepCase& c) {
  std::vector<ReplicaTask> tasks(static_cast<std::size_t>(o.replicas));
  for (std::size_t k = 0; k < tasks.size(); ++k) {
    tasks[k].seed = static_cast<std::int64_t>(k);
    for (std::int64_t i = 0; i < c.set.cells; ++i) tasks[k].train.push_back(i);
  }
  return tasks;
}

// Times of the phases since the last answer. A window ends with a whole round (`epochs` of every phase) once each phase
// has had its seconds.
class Windows {
 public:
  Windows(const StepOptions& o, std::int64_t steps_per_epoch, std::size_t phases)
      : o_(o), steps_per_epoch_(steps_per_epoch), epochs_of_round_(o.epochs * static_cast<std::int64_t>(phases)) {}

  void add(const EpochRecord& r) {
    if (r.replica == 0) seconds_[r.phase] += r.seconds;
  }

  // Called after every epoch; true where a window is over.
  bool over() {
    if (++epochs_ % epochs_of_round_ != 0) return false;
    ++rounds_;
    if (warming_) return rounds_ * o_.epochs * steps_per_epoch_ >= o_.warm_steps;
    return std::all_of(seconds_.begin(), seconds_.end(), [&](const auto& phase) { return phase.second >= wanted_; });
  }

  // What the window was like, unless it was the warm-up; then begins the next. False at the end of stdin.
  bool answer(std::int64_t bytes) {
    if (!warming_) {
      const auto steps = static_cast<double>(rounds_ * o_.epochs * steps_per_epoch_ * o_.replicas);
      nlohmann::json ms;
      for (const auto& [phase, time] : seconds_) ms[phase] = 1e3 * time / steps;
      std::cout << nlohmann::json({{"threads", o_.threads},
                                   {"replicas", o_.replicas},
                                   {"steps", rounds_ * o_.epochs * steps_per_epoch_},
                                   {"bytes", bytes},
                                   {"ms", ms}})
                << std::endl;
    }
    warming_ = false;
    rounds_ = 0;
    seconds_.clear();
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    wanted_ = line.empty() ? 0.0 : std::strtod(line.c_str(), nullptr);
    return true;
  }

 private:
  const StepOptions& o_;
  std::int64_t steps_per_epoch_, epochs_of_round_, epochs_ = 0, rounds_ = 0;
  std::map<std::string, double> seconds_;
  double wanted_ = 0;
  bool warming_ = true;
};

}  // namespace

void serve_rounds(const StepOptions& o, const StepCase& c, ThreadPool& pool) {
  constexpr std::int64_t kMostRounds = 20000;
  const std::unique_ptr<Context> ctx = make_step_context(o, pool);
  const Network network = c.network(StepDropout::on);
  const TrainerConfig once = c.trainer(network), config = repeated(once, o.epochs, kMostRounds);
  Windows windows(o, epoch_steps(c.set.cells, config.batch, config.short_batch), once.phases.size());
  bool over = false;
  const Trainer* running = nullptr;
  TrainerHooks hooks;
  hooks.on_epoch = [&](const EpochRecord& r) { windows.add(r); };
  hooks.on_checkpoint = [&] {
    if (windows.over()) over = !windows.answer(running->bytes());
  };
  hooks.should_stop = [&] { return over; };
  Trainer trainer(*ctx, network, c.set, tasks_of(o, c), config, hooks);
  running = &trainer;
  try {
    trainer.run();
  } catch (const StoppedError&) {  // the end of stdin
  }
}

void train_model(const StepOptions& o, const StepCase& c, ThreadPool& pool) {
  const std::unique_ptr<Context> ctx = make_step_context(o, pool);
  const Network network = c.network(StepDropout::on);
  Trainer trainer(*ctx, network, c.set, tasks_of(o, c), repeated(c.trainer(network), o.epochs, 1), {});
  trainer.run();
  write_case_file(o.model_file, {trainer.weights(), {}});
}

}  // namespace genexx::bench

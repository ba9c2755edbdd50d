// SPDX-License-Identifier: Apache-2.0
#include "models/trainer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

#include "models/device_data.h"
#include "models/history_json.h"
#include "models/lane.h"

namespace genexx {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// How far a replica has come in the current phase.
struct Progress {
  double best_score = -1;
  std::int64_t since_best = 0;
  bool active = true;
};

// What validation is judged by: both figures count alike.
double score_of(const Lane::Validation& v) { return v.accuracy + v.macro_f1; }

// One standard error of the score on `cells` validation cells (that of a share, for each of its two figures). A small
// validation set cannot tell epochs apart that differ by less. Source: Breiman et al., "Classification and regression
// trees", 1984, section 3.4.3, the one-standard-error rule.
double standard_error(const Lane::Validation& v, std::size_t cells) {
  return 2.0 * std::sqrt(v.accuracy * (1.0 - v.accuracy) / static_cast<double>(cells));
}

// Slices of [r, ...] tensors of several lanes, put together again along r.
std::vector<NamedTensor> concatenate(const std::vector<std::vector<NamedTensor>>& parts) {
  std::vector<NamedTensor> all = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i)
    for (std::size_t t = 0; t < all.size(); ++t) {
      all[t].shape[0] += parts[i][t].shape[0];
      all[t].bytes.insert(all[t].bytes.end(), parts[i][t].bytes.begin(), parts[i][t].bytes.end());
    }
  return all;
}

}  // namespace

struct Trainer::Parts {
  Context& ctx;
  const TrainingSet& set;
  TrainerConfig config;
  TrainerHooks hooks;
  std::vector<ReplicaTask> tasks;
  std::vector<std::int32_t> labels = {};  // of every row of the data set: cells, once for each preparation
  std::unique_ptr<DeviceData> data = nullptr;
  std::vector<std::unique_ptr<CpuContext>> lane_contexts = {};
  std::vector<std::unique_ptr<Lane>> lanes = {};
  std::vector<std::size_t> lane_of = {}, place_in_lane = {};  // of each replica
  std::vector<EpochRecord> history = {};
  std::vector<Progress> progress = {};
  std::size_t phase = 0;
  std::int64_t epochs_done = 0;  // of the phase
  bool phase_begun = false;

  void make_lanes(const Network& network);
  void run_phase();
  bool run_epoch();
  void judge(double seconds);
  void record(std::size_t replica, const std::vector<double>& losses, const Lane::Validation& v, double seconds);
  void check_finite(const EpochRecord& r) const;
  bool any_active() const {
    return std::any_of(progress.begin(), progress.end(), [](const Progress& p) { return p.active; });
  }
  template <class F>
  void for_lanes(F&& body);
};

// On the CPU lanes are shared out over the threads; a single lane uses the threads inside its ops instead.
template <class F>
void Trainer::Parts::for_lanes(F&& body) {
  if (lanes.size() > 1 && ctx.device() == DeviceType::cpu) {
    static_cast<CpuContext&>(ctx).parallel(static_cast<std::int64_t>(lanes.size()),
                                           [&](std::int64_t i) { body(*lanes[static_cast<std::size_t>(i)], i); });
    return;
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) body(*lanes[i], static_cast<std::int64_t>(i));
}

void Trainer::Parts::make_lanes(const Network& network) {
  std::int64_t epoch_length = std::numeric_limits<std::int64_t>::max();
  for (const ReplicaTask& t : tasks) epoch_length = std::min(epoch_length, static_cast<std::int64_t>(t.train.size()));
  const std::size_t lane_count = ctx.device() == DeviceType::cpu ? tasks.size() : 1;
  const std::size_t each = tasks.size() / lane_count;
  lanes.resize(lane_count);
  for (std::size_t i = 0; i < lane_count; ++i) {
    Context* lane_ctx = &ctx;
    if (lane_count > 1) {
      lane_contexts.push_back(std::make_unique<CpuContext>(nullptr, static_cast<CpuContext&>(ctx).isa()));
      lane_ctx = lane_contexts.back().get();
    }
    const auto first = static_cast<std::ptrdiff_t>(i * each), last = static_cast<std::ptrdiff_t>((i + 1) * each);
    lanes[i] = std::make_unique<Lane>(
        *lane_ctx, network, *data, set, std::vector<ReplicaTask>(tasks.begin() + first, tasks.begin() + last),
        std::vector<Balance>(config.balance.begin() + first, config.balance.begin() + last), config, epoch_length);
    for (std::size_t k = 0; k < each; ++k) {
      lane_of.push_back(i);
      place_in_lane.push_back(k);
    }
  }
}

Trainer::Trainer(Context& ctx, const Network& network, const TrainingSet& set, std::vector<ReplicaTask> replicas,
                 const TrainerConfig& config, TrainerHooks hooks)
    : parts_(std::unique_ptr<Parts>(new Parts{
          .ctx = ctx, .set = set, .config = config, .hooks = std::move(hooks), .tasks = std::move(replicas)})) {
  Parts& p = *parts_;
  if (p.tasks.empty()) throw UsageError("training needs at least one replica");
  if (config.batch < 1) throw UsageError("train.batch is " + std::to_string(config.batch) + ", expected at least 1");
  if (p.config.balance.empty()) p.config.balance.assign(p.tasks.size(), Balance::none);
  for (const ReplicaTask& t : p.tasks)
    if (t.train.empty()) throw UsageError("a replica has no cells to train on");
  for (std::size_t i = 0; i < set.preparations.size(); ++i)
    p.labels.insert(p.labels.end(), set.labels.begin(), set.labels.end());
  p.data = std::make_unique<DeviceData>(ctx, set.data, p.labels);
  p.make_lanes(network);
}

Trainer::~Trainer() = default;

void Trainer::run() {
  Parts& p = *parts_;
  for (; p.phase < p.config.phases.size(); ++p.phase, p.epochs_done = 0, p.phase_begun = false) p.run_phase();
}

void Trainer::Parts::run_phase() {
  const PhaseConfig& config_of_phase = config.phases[phase];
  if (!phase_begun) {
    for (const auto& lane : lanes) lane->begin_phase(phase);
    progress.assign(tasks.size(), {});
    for (const auto& lane : lanes)
      lane->set_active(std::vector<std::int32_t>(static_cast<std::size_t>(lane->replicas()), 1));
    phase_begun = true;
  }
  while (epochs_done < config_of_phase.epochs && any_active()) {
    if (!run_epoch())
      throw StoppedError("stopped in phase '" + config_of_phase.name + "' after epoch " + std::to_string(epochs_done) +
                         " of " + std::to_string(config_of_phase.epochs));
    ++epochs_done;
    if (hooks.on_checkpoint) hooks.on_checkpoint();
  }
  if (config_of_phase.keep == KeepWeights::best_validation && config_of_phase.epochs > 0) {
    for (const auto& lane : lanes) lane->restore_kept();
  }
}

bool Trainer::Parts::run_epoch() {
  const double begin = now();
  std::atomic<bool> finished{true};
  for_lanes([&](Lane& lane, std::int64_t index) {
    bool wanted = false;
    for (std::size_t r = 0; r < tasks.size(); ++r)
      wanted |= lane_of[r] == static_cast<std::size_t>(index) && progress[r].active;
    if (wanted && !lane.run_epoch(epochs_done + 1, hooks.should_stop)) finished = false;
  });
  if (!finished) return false;
  judge(now() - begin);
  return true;
}

void Trainer::Parts::judge(double seconds) {
  std::vector<std::vector<std::vector<double>>> losses(lanes.size());
  std::vector<std::vector<Lane::Validation>> validation(lanes.size());
  for_lanes([&](Lane& lane, std::int64_t index) {
    losses[static_cast<std::size_t>(index)] = lane.take_losses();
    validation[static_cast<std::size_t>(index)] = lane.validate();
  });
  for (std::size_t r = 0; r < tasks.size(); ++r) {
    if (!progress[r].active) continue;
    record(r, losses[lane_of[r]][place_in_lane[r]], validation[lane_of[r]][place_in_lane[r]], seconds);
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    std::vector<std::int32_t> active;
    for (std::size_t r = 0; r < tasks.size(); ++r)
      if (lane_of[r] == i) active.push_back(progress[r].active ? 1 : 0);
    lanes[i]->set_active(active);
  }
}

void Trainer::Parts::record(std::size_t replica, const std::vector<double>& losses, const Lane::Validation& v,
                            double seconds) {
  const PhaseConfig& of_phase = config.phases[phase];
  Progress& p = progress[replica];
  EpochRecord line;
  line.phase = of_phase.name;
  line.epoch = epochs_done + 1;
  line.replica = static_cast<std::int64_t>(replica);
  line.losses = losses;
  line.learning_rate = lanes[lane_of[replica]]->learning_rate();
  line.validation_loss = v.loss;
  line.validation_accuracy = v.accuracy;
  line.validation_macro_f1 = v.macro_f1;
  line.seconds = seconds;
  check_finite(line);
  const bool has_validation = !tasks[replica].validation.empty();
  ++p.since_best;
  if (has_validation && score_of(v) > p.best_score) {
    p.best_score = score_of(v);
    p.since_best = 0;
  }
  line.best = has_validation && score_of(v) >= p.best_score - standard_error(v, tasks[replica].validation.size());
  if (of_phase.keep == KeepWeights::best_validation && (line.best || !has_validation))
    lanes[lane_of[replica]]->keep(static_cast<std::int64_t>(place_in_lane[replica]));
  if (has_validation && of_phase.patience > 0 && p.since_best >= of_phase.patience) p.active = false;
  history.push_back(line);
  if (hooks.on_epoch) hooks.on_epoch(history.back());
}

void Trainer::Parts::check_finite(const EpochRecord& r) const {
  for (std::size_t i = 0; i < r.losses.size(); ++i)
    if (!std::isfinite(r.losses[i]))
      throw RuntimeError("training diverged: loss '" + config.phases[phase].losses[i].name + "' of replica " +
                         std::to_string(r.replica) + " is not finite in epoch " + std::to_string(r.epoch) +
                         " of phase '" + r.phase + "'; try a smaller learning rate (--set train.learning_rate=...)");
}

std::vector<NamedTensor> Trainer::weights() const {
  std::vector<std::vector<NamedTensor>> parts;
  for (const auto& lane : parts_->lanes) parts.push_back(lane->weights());
  return concatenate(parts);
}

const std::vector<EpochRecord>& Trainer::history() const { return parts_->history; }

std::int64_t Trainer::bytes() const {
  std::int64_t total = parts_->data->bytes();
  for (const auto& lane : parts_->lanes) total += lane->bytes();
  return total;
}

Trainer::State Trainer::state() const {
  const Parts& p = *parts_;
  State state;
  nlohmann::json progress = nlohmann::json::array();
  for (const Progress& q : p.progress)
    progress.push_back({{"best_score", q.best_score}, {"since_best", q.since_best}, {"active", q.active}});
  state.json = nlohmann::json({{"phase", p.phase},
                               {"epochs_done", p.epochs_done},
                               {"lanes", p.lanes.size()},
                               {"replicas", p.tasks.size()},
                               {"progress", progress},
                               {"history", history_to_json(p.history)}})
                   .dump();
  for (std::size_t i = 0; i < p.lanes.size(); ++i) p.lanes[i]->save("lane" + std::to_string(i) + ".", state.tensors);
  return state;
}

void Trainer::resume(const State& state) {
  Parts& p = *parts_;
  try {
    const nlohmann::json json = nlohmann::json::parse(state.json);
    if (json.at("lanes").get<std::size_t>() != p.lanes.size() ||
        json.at("replicas").get<std::size_t>() != p.tasks.size())
      throw InputError("checkpoint: it holds " + json.at("replicas").dump() + " replicas in " +
                       json.at("lanes").dump() + " lanes, expected " + std::to_string(p.tasks.size()) + " in " +
                       std::to_string(p.lanes.size()) + "; resume with the same options and the same kind of device");
    p.phase = json.at("phase").get<std::size_t>();
    p.epochs_done = json.at("epochs_done").get<std::int64_t>();
    if (p.phase >= p.config.phases.size()) throw InputError("checkpoint: it is of another configuration");
    for (const auto& lane : p.lanes) lane->begin_phase(p.phase);
    p.progress.clear();
    for (const nlohmann::json& q : json.at("progress")) {
      Progress one;
      one.best_score = q.at("best_score").get<double>();
      one.since_best = q.at("since_best").get<std::int64_t>();
      one.active = q.at("active").get<bool>();
      p.progress.push_back(one);
    }
    p.history = history_from_json(json.at("history"));
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("checkpoint: its description is damaged: ") + e.what());
  }
  for (std::size_t i = 0; i < p.lanes.size(); ++i) p.lanes[i]->load("lane" + std::to_string(i) + ".", state.tensors);
  p.phase_begun = true;
}

}  // namespace genexx

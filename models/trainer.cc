// SPDX-License-Identifier: Apache-2.0
#include "models/trainer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include <nlohmann/json.hpp>

#include "engine/tensor_packing.h"
#include "models/device_data.h"
#include "models/epoch_outcome.h"
#include "models/history_json.h"
#include "models/judged_cost.h"
#include "models/lane.h"
#include "models/trainer_state.h"
#include "models/training_memory.h"

namespace genexx {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

enum class PhaseEnd { reached, paused };

// How far a replica has come in the current phase.
struct Progress {
  std::vector<BestSoFar> best;                               // by each rule
  double watched = std::numeric_limits<double>::infinity();  // RateOnRise's error of the epoch before
  bool active = true;
};

Progress fresh_progress(const PhaseConfig& phase) {
  Progress p;
  for (const KeepRule& rule : phase.keep) p.best.emplace_back(rule);
  return p;
}

}  // namespace

struct Trainer::Parts {
  Context& ctx;
  const Network& network;
  const TrainingSet& set;
  TrainerConfig config;
  TrainerHooks hooks;
  std::vector<ReplicaTask> tasks;
  Communicator& ranks;
  RankShare own;                          // the replicas that this rank trains
  std::vector<std::int32_t> labels = {};  // of every row of the data set: cells, once for each preparation
  std::unique_ptr<DeviceData> data = nullptr;
  std::vector<std::unique_ptr<CpuContext>> lane_contexts = {};
  std::vector<std::unique_ptr<Lane>> lanes = {};
  std::vector<std::size_t> lane_of = {}, place_in_lane = {};  // of each own replica
  std::vector<EpochRecord> history = {};
  std::vector<Progress> progress = {};
  std::size_t phase = 0;
  std::int64_t epochs_done = 0;  // of the phase
  bool phase_begun = false;

  void make_lanes();
  void begin_phase();
  PhaseEnd run_phase(std::int64_t pause_after);
  void end_phase();
  bool run_epoch();
  void judge(double seconds);
  void record(EpochRecord& line);
  void apply_rules(const EpochRecord& line);
  double next_rate(const EpochRecord& line);
  std::vector<EpochOutcome> own_outcomes(double seconds);
  void tell_lanes(const std::vector<double>& rates);
  std::vector<NamedTensor> all_of_lanes(const std::function<std::vector<NamedTensor>(Lane&)>& of_lane) const;
  std::vector<NamedTensor> all_weights() const {
    return all_of_lanes([](Lane& l) { return l.weights(); });
  }
  std::string place_of_divergence(std::size_t replica);
  void diverged(const EpochRecord& line, std::size_t loss);
  void add_to_history(const EpochRecord& line);
  std::size_t all_lanes() const { return ctx.device() == DeviceType::cpu ? tasks.size() : 1; }  // of all ranks
  bool is_own(std::size_t replica) const {
    return static_cast<std::int64_t>(replica) >= own.begin && static_cast<std::int64_t>(replica) < own.end;
  }
  // Of the replica, if it is an own one: weights put aside in a slot, or taken back.
  void keep(std::size_t replica, std::size_t slot) {
    if (is_own(replica)) lane(replica).keep(place(replica), slot);
  }
  void restore(std::size_t replica, std::size_t slot) {
    if (is_own(replica)) lane(replica).restore(place(replica), slot);
  }
  std::size_t nth_own(std::size_t replica) const { return replica - static_cast<std::size_t>(own.begin); }
  Lane& lane(std::size_t replica) { return *lanes[lane_of[nth_own(replica)]]; }
  std::int64_t place(std::size_t replica) const { return static_cast<std::int64_t>(place_in_lane[nth_own(replica)]); }
  std::string lane_prefix(std::size_t index) const;
  std::vector<std::int64_t> own_replicas() const {
    std::vector<std::int64_t> all;
    for (std::int64_t r = own.begin; r < own.end; ++r) all.push_back(r);
    return all;
  }
  // Everything that is one value for each replica of a lane, in the order of the own replicas.
  template <class T, class F>
  std::vector<T> of_replicas(F&& of_lane);
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
                                           [&](std::int64_t i) { body(lanes[static_cast<std::size_t>(i)], i); });
    return;
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) body(lanes[i], static_cast<std::int64_t>(i));
}

template <class T, class F>
std::vector<T> Trainer::Parts::of_replicas(F&& of_lane) {
  std::vector<std::vector<T>> parts(lanes.size());
  for_lanes(
      [&](std::unique_ptr<Lane>& l, std::int64_t index) { parts[static_cast<std::size_t>(index)] = of_lane(*l); });
  std::vector<T> all;
  for (std::size_t i = 0; i < lane_of.size(); ++i) all.push_back(parts[lane_of[i]][place_in_lane[i]]);
  return all;
}

void Trainer::Parts::make_lanes() {
  std::int64_t epoch_length = std::numeric_limits<std::int64_t>::max();
  for (const ReplicaTask& t : tasks) epoch_length = std::min(epoch_length, static_cast<std::int64_t>(t.train.size()));
  // A batch of one row has no variance for batch norm to divide by.
  const bool normalises = std::any_of(network.nodes().begin(), network.nodes().end(),
                                      [](const NodeSpec& n) { return n.kind == NodeKind::batch_norm; });
  if (normalises && epoch_length % config.batch == 1) config.short_batch = ShortBatch::drop;
  if (epoch_steps(epoch_length, config.batch, config.short_batch) < 1)
    throw UsageError("train.batch is " + std::to_string(config.batch) +
                     " and a short batch is dropped, but there are " + std::to_string(epoch_length) +
                     " cells to train on; try a smaller batch");
  const auto own_count = static_cast<std::size_t>(own.size());
  if (own_count == 0) return;
  const std::size_t lane_count = ctx.device() == DeviceType::cpu ? own_count : 1;
  const std::size_t each = own_count / lane_count;
  lanes.resize(lane_count);
  for (std::size_t i = 0; i < lane_count; ++i) {
    if (lane_count > 1) {
      lane_contexts.push_back(std::make_unique<CpuContext>(nullptr, static_cast<CpuContext&>(ctx).isa()));
      lane_contexts.back()->precision = ctx.precision;
    }
    for (std::size_t k = 0; k < each; ++k) {
      lane_of.push_back(i);
      place_in_lane.push_back(k);
    }
  }
  // Side by side: drawing the first weights takes longer than all else before the first step.
  for_lanes([&](std::unique_ptr<Lane>& made, std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    const auto first = tasks.begin() + own.begin + static_cast<std::ptrdiff_t>(i * each);
    made = std::make_unique<Lane>(lane_count > 1 ? *lane_contexts[i] : ctx, network, *data, set,
                                  std::vector<ReplicaTask>(first, first + static_cast<std::ptrdiff_t>(each)), config,
                                  epoch_length);
  });
}

Trainer::Trainer(Context& ctx, const Network& network, const TrainingSet& set, std::vector<ReplicaTask> replicas,
                 const TrainerConfig& config, TrainerHooks hooks, Communicator* ranks)
    : alone_(ranks ? nullptr : std::make_unique<SingleRank>()),
      parts_(std::unique_ptr<Parts>(new Parts{.ctx = ctx,
                                              .network = network,
                                              .set = set,
                                              .config = config,
                                              .hooks = std::move(hooks),
                                              .tasks = std::move(replicas),
                                              .ranks = ranks ? *ranks : *alone_,
                                              .own = {}})) {
  Parts& p = *parts_;
  p.own = p.ranks.share_of(static_cast<std::int64_t>(p.tasks.size()));
  if (p.tasks.empty()) throw UsageError("training needs at least one replica");
  if (config.batch < 1) throw UsageError("train.batch is " + std::to_string(config.batch) + ", expected at least 1");
  for (const ReplicaTask& t : p.tasks)
    if (t.train.empty())
      throw UsageError("a replica has no cells to train on");
    else if (!t.cell_weights.empty() && t.cell_weights.size() != t.train.size())
      throw UsageError("a replica has " + std::to_string(t.cell_weights.size()) +
                       " weights of cells, expected one for "
                       "each of its " +
                       std::to_string(t.train.size()) + " cells to train on");
  while (!set.labels.empty() && static_cast<std::int64_t>(p.labels.size()) < set.rows())
    p.labels.insert(p.labels.end(), set.labels.begin(), set.labels.end());
  if (p.own.size() > 0) {
    const std::vector<ReplicaTask> own(p.tasks.begin() + p.own.begin, p.tasks.begin() + p.own.end);
    expect_device_memory(ctx, device_memory_needs(network, set, own, config));
    p.data = std::make_unique<DeviceData>(ctx, set, p.labels);
  }
  p.make_lanes();
}

Trainer::~Trainer() = default;

void Trainer::run() { run_to(std::numeric_limits<std::int64_t>::max()); }

void Trainer::run_to(std::int64_t epochs) {
  Parts& p = *parts_;
  for (; p.phase < p.config.phases.size(); ++p.phase, p.epochs_done = 0, p.phase_begun = false) {
    const bool last = p.phase + 1 == p.config.phases.size();
    if (p.run_phase(last ? epochs : std::numeric_limits<std::int64_t>::max()) == PhaseEnd::paused) return;
  }
}

void Trainer::Parts::begin_phase() {
  for (const auto& l : lanes) {
    l->begin_phase(phase);
    l->set_active(std::vector<std::int32_t>(static_cast<std::size_t>(l->replicas()), 1));
  }
  progress.assign(tasks.size(), fresh_progress(config.phases[phase]));
  phase_begun = true;
}

PhaseEnd Trainer::Parts::run_phase(std::int64_t pause_after) {
  const PhaseConfig& of_phase = config.phases[phase];
  if (!phase_begun) begin_phase();
  while (epochs_done < of_phase.epochs && any_active()) {
    if (epochs_done >= pause_after) return PhaseEnd::paused;
    if (!run_epoch())
      throw StoppedError("stopped in phase '" + of_phase.name + "' after epoch " + std::to_string(epochs_done) +
                         " of " + std::to_string(of_phase.epochs));
    ++epochs_done;
    if (hooks.on_checkpoint) hooks.on_checkpoint();
  }
  if (pause_after < of_phase.epochs) return PhaseEnd::paused;  // nobody was left to train
  end_phase();
  return PhaseEnd::reached;
}

// Every replica ends with the weights of the chosen rule, or with its own last ones: in a lane of several replicas
// those of one that stopped early were put aside then, for what layers count themselves goes on.
void Trainer::Parts::end_phase() {
  const PhaseConfig& of_phase = config.phases[phase];
  for (std::size_t r = 0; r < tasks.size(); ++r) {
    const std::int64_t rule = of_phase.ends_with;
    if (rule != PhaseConfig::kLast && progress[r].best[static_cast<std::size_t>(rule)].met())
      restore(r, static_cast<std::size_t>(rule));
    else if (!progress[r].active)
      restore(r, of_phase.keep.size());
  }
}

bool Trainer::Parts::run_epoch() {
  const double begin = now();
  std::atomic<bool> finished{true};
  for_lanes([&](std::unique_ptr<Lane>& lane, std::int64_t index) {
    bool wanted = false;
    for (std::size_t i = 0; i < lane_of.size(); ++i)
      wanted |=
          lane_of[i] == static_cast<std::size_t>(index) && progress[i + static_cast<std::size_t>(own.begin)].active;
    if (wanted && !lane->run_epoch(epochs_done + 1, hooks.should_stop)) finished = false;
  });
  if (ranks.any(!finished)) return false;
  judge(now() - begin);
  return true;
}

// What the epoch was like for the own replicas.
std::vector<EpochOutcome> Trainer::Parts::own_outcomes(double seconds) {
  const auto losses = of_replicas<EpochLosses>([](Lane& l) { return l.take_losses(); });
  const auto validation = of_replicas<Judgement>([](Lane& l) { return l.judge_validation(); });
  const auto rates = of_replicas<double>([](Lane& l) { return l.learning_rates(); });
  std::vector<EpochOutcome> outcomes;
  for (std::size_t i = 0; i < lane_of.size(); ++i)
    outcomes.push_back({losses[i], validation[i], {}, rates[i], seconds});
  for (std::size_t m = 0; m < set.monitors.size(); ++m) {
    const auto monitored = of_replicas<Judgement>([m](Lane& l) { return l.judge_monitor(m); });
    for (std::size_t i = 0; i < lane_of.size(); ++i) outcomes[i].monitors.push_back(monitored[i].absolute_error);
  }
  return outcomes;
}

void Trainer::Parts::judge(double seconds) {
  const std::vector<EpochOutcome> outcomes =
      share_outcomes(ranks, own_outcomes(seconds), config.phases[phase].losses.size(), set.monitors.size());
  std::vector<double> rates, external(tasks.size(), std::numeric_limits<double>::quiet_NaN());
  for (const EpochOutcome& o : outcomes) rates.push_back(o.learning_rate);
  if (hooks.judge) external = hooks.judge(all_weights());
  for (std::size_t r = 0; r < tasks.size(); ++r) {
    if (!progress[r].active) continue;
    EpochRecord line = {.phase = config.phases[phase].name,
                        .epoch = epochs_done + 1,
                        .replica = static_cast<std::int64_t>(r),
                        .losses = outcomes[r].losses.losses,
                        .training_accuracy = outcomes[r].losses.accuracy,
                        .learning_rate = outcomes[r].learning_rate,
                        .validation = outcomes[r].validation,
                        .monitors = outcomes[r].monitors,
                        .external = external[r],
                        .seconds = outcomes[r].seconds};
    record(line);
    rates[r] = next_rate(line);
  }
  tell_lanes(rates);
}

// Who goes on, and at which rate.
void Trainer::Parts::tell_lanes(const std::vector<double>& rates) {
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    std::vector<std::int32_t> active;
    std::vector<double> lane_rates;
    for (std::size_t r = static_cast<std::size_t>(own.begin); r < static_cast<std::size_t>(own.end); ++r) {
      if (lane_of[nth_own(r)] != i) continue;
      active.push_back(progress[r].active ? 1 : 0);
      lane_rates.push_back(rates[r]);
    }
    lanes[i]->set_active(active);
    if (config.phases[phase].rate_on_rise.factor != 1) lanes[i]->set_learning_rates(lane_rates);
  }
}

void Trainer::Parts::record(EpochRecord& line) {
  const auto lost = std::find_if_not(line.losses.begin(), line.losses.end(), [](double x) { return std::isfinite(x); });
  if (lost != line.losses.end()) return diverged(line, static_cast<std::size_t>(lost - line.losses.begin()));
  const auto replica = static_cast<std::size_t>(line.replica);
  const PhaseConfig& of_phase = config.phases[phase];
  Progress& p = progress[replica];
  const std::size_t validation_cells = tasks[replica].validation.size();
  for (std::size_t i = 0; i < of_phase.keep.size(); ++i) {
    const KeepRule& rule = of_phase.keep[i];
    if (judges_validation(rule.criterion) && validation_cells == 0) continue;
    const double error = standard_error(rule, line.validation, validation_cells);
    if (!p.best[i].observe(cost_of(rule, line), error)) continue;
    if (i == 0) line.best = true;
    keep(replica, i);
  }
  const bool judged =
      !of_phase.keep.empty() && (validation_cells > 0 || !judges_validation(of_phase.keep.front().criterion));
  const std::optional<std::int64_t>& most_epochs = tasks[replica].last_phase_epochs;
  const bool done = most_epochs && phase + 1 == config.phases.size() && line.epoch >= *most_epochs;
  if (done || (judged && of_phase.patience > 0 && p.best.front().since_best() >= of_phase.patience)) {
    p.active = false;
    keep(replica, of_phase.keep.size());
  }
  add_to_history(line);
}

void Trainer::Parts::add_to_history(const EpochRecord& line) {
  history.push_back(line);
  if (hooks.on_epoch) hooks.on_epoch(history.back());
}

// The rate after an epoch, lower if the watched error rose.
double Trainer::Parts::next_rate(const EpochRecord& line) {
  const RateOnRise& rule = config.phases[phase].rate_on_rise;
  if (rule.factor == 1) return line.learning_rate;
  double& before = progress[static_cast<std::size_t>(line.replica)].watched;
  const double error = line.monitors[static_cast<std::size_t>(rule.monitor)];
  const bool rose = error > before;
  before = error;
  return rose ? std::max(line.learning_rate * rule.factor, rule.floor) : line.learning_rate;
}

// Where a replica was lost, as the rank that trains it finds it; all ranks ask.
std::string Trainer::Parts::place_of_divergence(std::size_t replica) {
  std::string mine;
  if (is_own(replica)) {
    const Divergence found = lane(replica).divergence(place(replica));
    mine = "at step " + std::to_string(found.step) + " of the epoch: " + found.place;
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(mine.data());
  std::string all;
  for (const std::vector<std::byte>& text : ranks.all_gather_bytes({bytes, bytes + mine.size()}))
    all.append(reinterpret_cast<const char*>(text.data()), text.size());
  return all;
}

void Trainer::Parts::diverged(const EpochRecord& line, std::size_t loss) {
  const PhaseConfig& of_phase = config.phases[phase];
  const auto replica = static_cast<std::size_t>(line.replica);
  if (config.on_divergence == OnDivergence::fail) {
    throw RuntimeError("training diverged: loss '" + of_phase.losses[loss].name + "' of replica " +
                       std::to_string(line.replica) + " is not finite in epoch " + std::to_string(line.epoch) +
                       " of phase '" + line.phase + "', " + place_of_divergence(replica) +
                       "; try a smaller learning rate (--set train.learning_rate=...)");
  }
  progress[replica].active = false;
  keep(replica, of_phase.keep.size());
  add_to_history(line);
}

// Something of every lane of every rank, along r.
std::vector<NamedTensor> Trainer::Parts::all_of_lanes(
    const std::function<std::vector<NamedTensor>(Lane&)>& of_lane) const {
  std::vector<std::vector<NamedTensor>> parts;
  for (const auto& l : lanes) parts.push_back(of_lane(*l));
  return share_tensors(ranks, parts.empty() ? std::vector<NamedTensor>() : concatenate(parts));
}

std::vector<NamedTensor> Trainer::weights() const { return parts_->all_weights(); }

Trainer::Kept Trainer::kept(std::size_t rule) const {
  Kept kept = {parts_->all_of_lanes([rule](Lane& l) { return l.kept_weights(rule); }), {}};
  for (const Progress& p : parts_->progress) kept.met.push_back(p.best[rule].met());
  return kept;
}

const std::vector<EpochRecord>& Trainer::history() const { return parts_->history; }

std::int64_t Trainer::bytes() const {
  std::int64_t total = parts_->data ? parts_->data->bytes() : 0;
  for (const auto& lane : parts_->lanes) total += lane->bytes();
  return total;
}

Trainer::State Trainer::state() const {
  const Parts& p = *parts_;
  State state;
  nlohmann::json progress = nlohmann::json::array();
  for (const Progress& q : p.progress) {
    nlohmann::json best = nlohmann::json::array();
    for (const BestSoFar& b : q.best) best.push_back(b.state());
    progress.push_back({{"best", best},
                        {"watched", std::isfinite(q.watched) ? nlohmann::json(q.watched) : nlohmann::json()},
                        {"active", q.active}});
  }
  state.json = nlohmann::json({{"phase", p.phase},
                               {"epochs_done", p.epochs_done},
                               {"lanes", p.all_lanes()},
                               {"replicas", p.tasks.size()},
                               {"progress", progress},
                               {"history", history_to_json(p.history)}})
                   .dump();
  for (std::size_t i = 0; i < p.lanes.size(); ++i) p.lanes[i]->save(p.lane_prefix(i), state.tensors);
  if (p.ranks.size() == 1) return state;
  std::vector<std::vector<NamedTensor>> parts;
  for (const auto& bytes : p.ranks.gather_bytes(pack_tensors(state.tensors))) parts.push_back(unpack_tensors(bytes));
  state.tensors = p.ctx.device() == DeviceType::cpu ? in_one_list(std::move(parts)) : joined_lane(parts, p.network);
  return state;
}

// Lanes of one replica each are numbered by it; a lane of all replicas is the first.
std::string Trainer::Parts::lane_prefix(std::size_t index) const {
  return "lane" + std::to_string(all_lanes() > 1 ? index + static_cast<std::size_t>(own.begin) : index) + ".";
}

void Trainer::resume(const State& state) {
  Parts& p = *parts_;
  try {
    const nlohmann::json json = nlohmann::json::parse(state.json);
    if (json.at("lanes").get<std::size_t>() != p.all_lanes() ||
        json.at("replicas").get<std::size_t>() != p.tasks.size())
      throw InputError("checkpoint: it holds " + json.at("replicas").dump() + " replicas in " +
                       json.at("lanes").dump() + " lanes, expected " + std::to_string(p.tasks.size()) + " in " +
                       std::to_string(p.all_lanes()) + "; resume with the same options and the same kind of device");
    p.phase = json.at("phase").get<std::size_t>();
    p.epochs_done = json.at("epochs_done").get<std::int64_t>();
    if (p.phase >= p.config.phases.size()) throw InputError("checkpoint: it is of another configuration");
    for (const auto& lane : p.lanes) lane->begin_phase(p.phase);
    p.progress.clear();
    for (const nlohmann::json& q : json.at("progress")) {
      Progress one = fresh_progress(p.config.phases[p.phase]);
      for (std::size_t i = 0; i < one.best.size(); ++i) one.best[i].restore(q.at("best").at(i));
      if (!q.at("watched").is_null()) one.watched = q.at("watched").get<double>();
      one.active = q.at("active").get<bool>();
      p.progress.push_back(std::move(one));
    }
    p.history = history_from_json(json.at("history"));
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("checkpoint: its description is damaged: ") + e.what());
  }
  const bool of_all = p.ranks.size() == 1 || p.ctx.device() == DeviceType::cpu;
  const State own = of_all || p.lanes.empty() ? State() : state_of_replicas(state, p.network, p.own_replicas());
  for (std::size_t i = 0; i < p.lanes.size(); ++i)
    p.lanes[i]->load(p.lane_prefix(i), of_all ? state.tensors : own.tensors);
  p.phase_begun = true;
}

}  // namespace genexx

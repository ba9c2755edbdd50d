// SPDX-License-Identifier: Apache-2.0
#include "models/lane.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>

#include "engine/flat_tensor.h"
#include "engine/philox.h"
#include "kernels/ingest.h"
#include "models/initializer.h"
#include "models/sampler.h"

namespace genexx {
namespace {

constexpr std::uint32_t kPhaseStream = 0x70686173u;

// Seeds of a phase: phases of one replica draw independent numbers.
std::int64_t phase_seed(std::int64_t seed, std::size_t phase) {
  const PhiloxCounter words =
      philox(philox_key(static_cast<std::uint64_t>(seed), kPhaseStream), {static_cast<std::uint32_t>(phase), 0, 0, 0});
  return static_cast<std::int64_t>((std::uint64_t{words.x} << 32 | words.y) >> 1);
}

std::vector<InitialReplica> initial_replicas(const TrainingSet& set, const std::vector<ReplicaTask>& tasks) {
  std::vector<InitialReplica> all;
  for (const ReplicaTask& t : tasks)
    all.push_back({t.seed, set.preparations[static_cast<std::size_t>(t.preparation)].live_genes});
  return all;
}

Buffer upload_floats(Context& ctx, DType dtype, const std::vector<float>& values) {
  Buffer buffer(ctx, static_cast<std::int64_t>(values.size()) * size_of(dtype));
  if (dtype == DType::f32) {
    ctx.copy_to_device(buffer.data(), values.data(), buffer.bytes());
  } else {
    const std::vector<double> wide(values.begin(), values.end());
    ctx.copy_to_device(buffer.data(), wide.data(), buffer.bytes());
  }
  return buffer;
}

// Products with stored values win over dense ones while at most so many of a batch's values are stored.
constexpr double kSparseDensity = 0.25;

// On the CPU; a GPU multiplies dense batches faster, and classes of precision are those of dense products.
InputForm input_form(const Context& ctx, const Network& network, const TrainingSet& set) {
  if (ctx.device() != DeviceType::cpu || ctx.precision != Precision::fp32) return InputForm::dense;
  if (!set.dense.empty() || !takes_stored_rows(network)) return InputForm::dense;
  const double all = static_cast<double>(set.data.rows) * static_cast<double>(set.data.cols);
  return static_cast<double>(set.data.value.size()) <= kSparseDensity * all ? InputForm::stored : InputForm::dense;
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

std::vector<int> loss_nodes(const TrainerConfig& config) {
  std::vector<int> nodes;
  for (const PhaseConfig& phase : config.phases)
    for (const LossSpec& loss : phase.losses) nodes.push_back(loss.node);
  return nodes;
}

}  // namespace

Lane::Lane(Context& ctx, const Network& network, const DeviceData& data, const TrainingSet& set,
           std::vector<ReplicaTask> tasks, const TrainerConfig& config, std::int64_t epoch_length)
    : ctx_(ctx),
      data_(data),
      set_(set),
      tasks_(std::move(tasks)),
      config_(config),
      genes_(set.genes()),
      epoch_length_(epoch_length),
      session_(ctx, network,
               {.replicas = static_cast<std::int64_t>(tasks_.size()),
                .max_rows = config.batch,
                .dtype = config.dtype,
                .input_form = input_form(ctx, network, set),
                .read = loss_nodes(config)}),
      optimizer_(session_),
      cells_(ctx, set, tasks_, data.labels()) {
  session_.set_weights(initial_weights(network, initial_replicas(set, tasks_), config.dtype));
  std::vector<double> rates;
  for (const ReplicaTask& t : tasks_) rates.push_back(t.dropout.value_or(kUndefined));
  session_.set_dropout_rates(std::move(rates));
  rows_ = Buffer(ctx, replicas() * config.batch * 8);
  labels_ = Buffer(ctx, replicas() * config.batch * 4);
  targets_ = Buffer(ctx, replicas() * config.batch * set.targets.cols * size_of(config.dtype));
  upload_statistics();
}

void Lane::upload_statistics() {
  std::vector<float> shift, factor, index, mask, class_weight;
  std::vector<double> live;
  bool masked = false;
  for (const ReplicaTask& t : tasks_) {
    const Preparation& p = set_.preparations[static_cast<std::size_t>(t.preparation)];
    shift.insert(shift.end(), p.shift.begin(), p.shift.end());
    factor.insert(factor.end(), p.factor.begin(), p.factor.end());
    index.insert(index.end(), p.index.begin(), p.index.end());
    mask.insert(mask.end(), p.mask.begin(), p.mask.end());
    masked |= p.live_genes != genes_;
    live.push_back(std::accumulate(p.mask.begin(), p.mask.end(), 0.0));
    class_weight.insert(class_weight.end(), t.class_weights.begin(), t.class_weights.end());
  }
  shift_ = upload_floats(ctx_, config_.dtype, shift);
  factor_ = upload_floats(ctx_, config_.dtype, factor);
  index_ = upload_floats(ctx_, config_.dtype, index);
  class_weight_ = upload_floats(ctx_, config_.dtype, class_weight);
  if (!masked) return;
  mask_ = upload_floats(ctx_, config_.dtype, mask);
  live_genes_ = Buffer(ctx_, replicas() * 8);
  ctx_.copy_to_device(live_genes_.data(), live.data(), live_genes_.bytes());
}

void Lane::begin_phase(std::size_t index) {
  phase_ = index;
  const PhaseConfig& phase = config_.phases[index];
  std::vector<std::int64_t> seeds;
  Optimizer::Start start = {.config = phase.optimizer,
                            .learning_rate = {},
                            .weight_decay = {},
                            .decay = config_.lr_decay,
                            .decay_steps = config_.lr_decay_steps,
                            .trainable = phase.trainable};
  if (config_.lr_decay_unit == DecayUnit::epochs) start.decay_steps *= steps_per_epoch();
  for (const ReplicaTask& t : tasks_) {
    seeds.push_back(phase_seed(t.seed, index));
    start.learning_rate.push_back(t.learning_rate.value_or(phase.learning_rate));
    start.weight_decay.push_back(t.weight_decay.value_or(phase.optimizer.weight_decay));
  }
  session_.set_seeds(seeds);
  session_.set_step(0);
  losses_ = std::make_unique<LossSet>(session_, phase.losses, config_.label_smoothing, config_.small_batch);
  optimizer_.begin(start);
  kept_.clear();
  // One more where replicas may stop before others do.
  const bool ends_apart = std::any_of(tasks_.begin(), tasks_.end(),
                                      [](const ReplicaTask& task) { return task.last_phase_epochs.has_value(); });
  const bool may_stop = phase.patience > 0 || ends_apart || config_.on_divergence == OnDivergence::retire;
  const std::size_t slots = phase.keep.size() + (may_stop ? 1 : 0);
  for (std::size_t slot = 0; slot < slots; ++slot) {
    kept_.emplace_back(ctx_, session_.flat_size() * size_of(config_.dtype));
    ctx_.copy_within(kept_.back().data(), session_.flat_weights().data, kept_.back().bytes());
  }
  full_step_.reset();
  tail_step_.reset();
}

void Lane::feed(const Tensor& rows, std::int64_t count) {
  const Shape statistics = {replicas(), genes_};
  const ConstTensor shift = {shift_.data(), config_.dtype, statistics};
  const ConstTensor factor = {factor_.data(), config_.dtype, statistics};
  if (session_.options().input_form == InputForm::stored) {
    session_.set_stored_input({.data = data_.expression(), .rows = rows, .shift = shift, .factor = factor});
  } else {
    ingest::run(
        ctx_,
        {.data = data_.expression(), .rows = rows, .shift = shift, .factor = factor, .out = session_.input(count)});
  }
}

Tensor Lane::batch_targets(std::int64_t count) const {
  return {targets_.data(), config_.dtype, {replicas(), count, set_.targets.cols}};
}

Tensor Lane::feed_targets(const Tensor& rows, std::int64_t count) {
  const Tensor targets = batch_targets(count);
  ingest::run(ctx_, {.data = data_.targets(), .rows = rows, .out = targets});
  return targets;
}

void Lane::draw(std::int64_t rows) {
  cells_.draw(session_, {.steps_per_epoch = steps_per_epoch(),
                         .batch = config_.batch,
                         .rows = batch_rows(rows),
                         .labels = batch_labels(rows)});
  feed(batch_rows(rows), rows);
}

void Lane::step(std::int64_t rows) {
  draw(rows);
  LossTargets targets;
  if (set_.targets.empty()) {
    targets.labels = batch_labels(rows);
  } else {
    targets.targets = feed_targets(batch_rows(rows), rows);
  }
  if (class_weight_.bytes() > 0)
    targets.class_weight = {class_weight_.data(), config_.dtype, {replicas(), set_.classes}};
  if (index_.bytes() > 0) targets.index = {index_.data(), config_.dtype, {replicas(), genes_}};
  if (mask_.bytes() > 0) {
    targets.gene_mask = {mask_.data(), config_.dtype, {replicas(), genes_}};
    targets.live_genes = {live_genes_.data(), DType::f64, {replicas()}};
  }
  losses_->prepare(targets);
  session_.forward(rows, Mode::training, losses_->nodes());
  session_.begin_backward();
  losses_->run(rows, targets, optimizer_.active());
  session_.backward(rows, Mode::training);
  optimizer_.step();
}

bool Lane::run_epoch(std::int64_t epoch, const std::function<bool()>& should_stop) {
  const DropoutUse use = config_.phases[phase_].dropout;
  session_.set_dropout(use == DropoutUse::always || (use == DropoutUse::first_epoch && epoch == 1) ? Mode::training
                                                                                                   : Mode::inference);
  const std::int64_t full = epoch_length_ / config_.batch, tail = epoch_length_ % config_.batch;
  return run_steps(full, config_.batch, should_stop) && run_steps(steps_per_epoch() - full, tail, should_stop);
}

bool Lane::run_steps(std::int64_t count, std::int64_t rows, const std::function<bool()>& should_stop) {
  std::unique_ptr<StepGraph>& graph = rows == config_.batch ? full_step_ : tail_step_;
  for (std::int64_t done = 0; done < count;) {
    if (should_stop && should_stop()) return false;
    if (!graph) {
      step(rows);  // the first step of a size may allocate scratch and choose algorithms; later ones are replays
      graph = ctx_.capture([this, rows] { step(rows); });
      ++done;
    } else if (ctx_.device() == DeviceType::cpu) {
      graph->replay();
      ++done;
    } else {
      const double begin = seconds();
      const std::int64_t given = pace_.next(count - done);
      graph->replay(given);
      ctx_.synchronize();
      pace_.took(given, seconds() - begin);
      done += given;
    }
  }
  return true;
}

std::vector<EpochLosses> Lane::take_losses() {
  const LossSet::Sums sums = losses_->take_sums();
  const auto rows = static_cast<double>(std::min(epoch_length_, steps_per_epoch() * config_.batch));
  std::vector<EpochLosses> mean(tasks_.size());
  for (std::size_t r = 0; r < tasks_.size(); ++r) {
    for (const std::vector<double>& loss : sums.loss) mean[r].losses.push_back(loss[r] / rows);
    mean[r].accuracy = sums.accuracy[r];
  }
  return mean;
}

std::unique_ptr<Judge> Lane::make_judge(const JudgedCells::Lists& cells) {
  return std::make_unique<Judge>(session_, set_, tasks_, cells, [this](const Tensor& rows, std::int64_t count) {
    feed(rows, count);
    return set_.targets.empty() ? Tensor() : feed_targets(rows, count);
  });
}

std::vector<Judgement> Lane::judge_validation() {
  if (!validation_) {
    JudgedCells::Lists cells;
    for (const ReplicaTask& t : tasks_) cells.push_back(&t.validation);
    validation_ = make_judge(cells);
  }
  return validation_->run();
}

std::vector<Judgement> Lane::judge_monitor(std::size_t index) {
  while (monitors_.size() <= index)
    monitors_.push_back(make_judge(JudgedCells::Lists(tasks_.size(), &set_.monitors[monitors_.size()].cells)));
  return monitors_[index]->run();
}

Divergence Lane::divergence(std::int64_t replica) {
  Divergence found;
  const std::int64_t step = losses_->lost_at()[static_cast<std::size_t>(replica)];
  if (step < 0) {
    found.place = "the loss of every step is finite, their sum is not";
    return found;
  }
  found.step = step % steps_per_epoch() + 1;
  found.step_of_phase = step + 1;
  // The replica was put out in that step, so its weights are those the step began with.
  if (const auto lost = first_lost_weights(session_, replica)) {
    found.place = *lost;
    return found;
  }
  session_.set_step(step);
  const std::int64_t rows = found.step <= epoch_length_ / config_.batch ? config_.batch : epoch_length_ % config_.batch;
  draw(rows);
  session_.forward(rows, Mode::training, losses_->nodes());
  found.place = first_lost_output(session_, replica, rows).value_or("every layer's output is finite, the loss is not");
  return found;
}

void Lane::keep(std::int64_t replica, std::size_t slot) {
  session_.copy_replica(replica, kept_[slot].data(), session_.flat_weights().data);
}

void Lane::restore(std::int64_t replica, std::size_t slot) {
  session_.copy_replica(replica, session_.flat_weights().data, kept_[slot].data());
}

std::vector<NamedTensor> Lane::kept_weights(std::size_t slot) {
  const Buffer current(ctx_, kept_[slot].bytes());
  ctx_.copy_within(current.data(), session_.flat_weights().data, current.bytes());
  ctx_.copy_within(session_.flat_weights().data, kept_[slot].data(), current.bytes());
  std::vector<NamedTensor> weights = session_.weights();
  ctx_.copy_within(session_.flat_weights().data, current.data(), current.bytes());
  return weights;
}

std::int64_t Lane::bytes() const {
  std::int64_t total = session_.bytes() + optimizer_.bytes() + targets_.bytes();
  for (const Buffer& b : kept_) total += b.bytes();
  return total;
}

void Lane::save(const std::string& prefix, std::vector<NamedTensor>& out) const {
  out.push_back(session_.saved_weights(prefix + "weights", session_.flat_weights()));
  for (std::size_t i = 0; i < kept_.size(); ++i)
    out.push_back(session_.saved_weights(prefix + "kept" + std::to_string(i),
                                         {kept_[i].data(), config_.dtype, {session_.flat_size()}}));
  out.push_back(flat_tensor(ctx_, prefix + "step", session_.step()));
  optimizer_.save(prefix, out);
}

void Lane::load(const std::string& prefix, const std::vector<NamedTensor>& in) {
  session_.restore_weights(in, prefix + "weights", session_.flat_weights());
  for (std::size_t i = 0; i < kept_.size(); ++i)
    session_.restore_weights(in, prefix + "kept" + std::to_string(i),
                             {kept_[i].data(), config_.dtype, {session_.flat_size()}});
  set_flat_tensor(ctx_, in, prefix + "step", session_.step());
  optimizer_.load(prefix, in);
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/lane.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/flat_tensor.h"
#include "engine/philox.h"
#include "kernels/ingest.h"
#include "kernels/sample_rows.h"
#include "models/classification_tally.h"
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

template <class T>
Buffer upload(Context& ctx, const std::vector<T>& values) {
  Buffer buffer(ctx, static_cast<std::int64_t>(values.size() * sizeof(T)));
  ctx.copy_to_device(buffer.data(), values.data(), buffer.bytes());
  return buffer;
}

}  // namespace

Lane::Lane(Context& ctx, const Network& network, const DeviceData& data, const TrainingSet& set,
           std::vector<ReplicaTask> tasks, std::vector<Balance> balance, const TrainerConfig& config,
           std::int64_t epoch_length)
    : ctx_(ctx),
      data_(data),
      tasks_(std::move(tasks)),
      balance_(std::move(balance)),
      config_(config),
      cells_(set.cells),
      classes_(set.classes),
      genes_(set.genes()),
      epoch_length_(epoch_length),
      session_(ctx, network,
               {.replicas = static_cast<std::int64_t>(tasks_.size()), .max_rows = config.batch, .dtype = config.dtype}),
      optimizer_(session_) {
  session_.set_weights(initial_weights(network, initial_replicas(set, tasks_), config.dtype));
  kept_ = Buffer(ctx, session_.flat_size() * size_of(config.dtype));
  rows_ = Buffer(ctx, replicas() * config.batch * 8);
  labels_ = Buffer(ctx, replicas() * config.batch * 4);
  upload_statistics(set);
  upload_cells(set);
  for (std::int64_t r = 0; r < replicas(); ++r) keep(r);
}

void Lane::upload_statistics(const TrainingSet& set) {
  std::vector<float> shift, factor, index, mask;
  for (const ReplicaTask& t : tasks_) {
    const Preparation& p = set.preparations[static_cast<std::size_t>(t.preparation)];
    shift.insert(shift.end(), p.shift.begin(), p.shift.end());
    factor.insert(factor.end(), p.factor.begin(), p.factor.end());
    index.insert(index.end(), p.index.begin(), p.index.end());
    mask.insert(mask.end(), p.mask.begin(), p.mask.end());
    if (p.live_genes != set.genes()) masked_ = Masked::yes;
  }
  shift_ = upload_floats(ctx_, config_.dtype, shift);
  factor_ = upload_floats(ctx_, config_.dtype, factor);
  index_ = upload_floats(ctx_, config_.dtype, index);
  mask_ = upload_floats(ctx_, config_.dtype, mask);
}

void Lane::upload_cells(const TrainingSet& set) {
  for (const ReplicaTask& t : tasks_) longest_ = std::max(longest_, static_cast<std::int64_t>(t.train.size()));
  const auto size = static_cast<std::size_t>(replicas() * longest_);
  std::vector<std::int64_t> cells(size, -1), counts;
  std::vector<std::int32_t> alias(size, 0);
  std::vector<float> probability(size, 1.0f);
  if (std::any_of(balance_.begin(), balance_.end(), [](Balance b) { return b != Balance::none; }))
    drawing_ = Drawing::weighted;
  for (std::size_t r = 0; r < tasks_.size(); ++r) {
    const ReplicaTask& t = tasks_[r];
    std::transform(t.train.begin(), t.train.end(), cells.begin() + static_cast<std::ptrdiff_t>(r) * longest_,
                   [&](std::int64_t cell) { return cell + t.preparation * cells_; });
    counts.push_back(static_cast<std::int64_t>(t.train.size()));
    std::vector<double> class_count(static_cast<std::size_t>(classes_), 0.0);
    for (const std::int64_t c : t.train)
      class_count[static_cast<std::size_t>(set.labels[static_cast<std::size_t>(c)])] += 1;
    std::vector<double> weight;
    for (const std::int64_t c : t.train) {
      const double n = class_count[static_cast<std::size_t>(set.labels[static_cast<std::size_t>(c)])];
      weight.push_back(balance_[r] == Balance::classes            ? 1 / n
                       : balance_[r] == Balance::classes_softened ? 1 / std::sqrt(n)
                                                                  : 1);
    }
    if (drawing_ == Drawing::weighted) {
      const AliasTable table = alias_table(weight);
      std::copy(table.probability.begin(), table.probability.end(),
                probability.begin() + static_cast<std::ptrdiff_t>(r) * longest_);
      std::copy(table.alias.begin(), table.alias.end(), alias.begin() + static_cast<std::ptrdiff_t>(r) * longest_);
    }
    std::vector<std::int32_t> truth;
    for (const std::int64_t c : t.validation) truth.push_back(set.labels[static_cast<std::size_t>(c)]);
    validation_labels_.push_back(std::move(truth));
  }
  train_ = upload(ctx_, cells);
  count_ = upload(ctx_, counts);
  alias_probability_ = upload(ctx_, probability);
  alias_index_ = upload(ctx_, alias);
}

void Lane::begin_phase(std::size_t index) {
  phase_ = index;
  const PhaseConfig& phase = config_.phases[index];
  std::vector<std::int64_t> seeds;
  for (const ReplicaTask& t : tasks_) seeds.push_back(phase_seed(t.seed, index));
  session_.set_seeds(seeds);
  session_.set_step(0);
  losses_ = std::make_unique<LossSet>(session_, phase.losses, config_.label_smoothing, config_.small_batch);
  optimizer_.begin(phase.learning_rate, config_.lr_decay, config_.lr_decay_steps, phase.trainable);
  full_step_.reset();
  tail_step_.reset();
}

void Lane::feed(const Tensor& rows, std::int64_t count) {
  const Shape statistics = {replicas(), genes_};
  ingest::run(ctx_, {.data = data_.expression(),
                     .rows = rows,
                     .shift = {shift_.data(), config_.dtype, statistics},
                     .factor = {factor_.data(), config_.dtype, statistics},
                     .out = session_.input(count)});
}

void Lane::step(std::int64_t rows) {
  sample_rows::Args draw = {.seed = session_.seed(),
                            .step = session_.step(),
                            .steps_per_epoch = steps_per_epoch(epoch_length_, config_.batch),
                            .batch = config_.batch,
                            .cells = {train_.data(), DType::i64, {replicas(), longest_}},
                            .count = {count_.data(), DType::i64, {replicas()}},
                            .labels = data_.labels(),
                            .rows = batch_rows(rows),
                            .labels_out = batch_labels(rows)};
  if (drawing_ == Drawing::weighted) {
    draw.alias_probability = {alias_probability_.data(), DType::f32, {replicas(), longest_}};
    draw.alias_index = {alias_index_.data(), DType::i32, {replicas(), longest_}};
  }
  sample_rows::run(ctx_, draw);
  feed(batch_rows(rows), rows);
  session_.forward(rows, Mode::training, losses_->nodes());
  session_.begin_backward();
  LossTargets targets;
  targets.labels = batch_labels(rows);
  targets.index = {index_.data(), config_.dtype, {replicas(), genes_}};
  if (masked_ == Masked::yes) targets.gene_mask = {mask_.data(), config_.dtype, {replicas(), genes_}};
  losses_->run(rows, targets);
  session_.backward(rows, Mode::training);
  optimizer_.step();
}

bool Lane::run_epoch(std::int64_t epoch, const std::function<bool()>& should_stop) {
  const DropoutUse use = config_.phases[phase_].dropout;
  session_.set_dropout(use == DropoutUse::always || (use == DropoutUse::first_epoch && epoch == 1) ? Mode::training
                                                                                                   : Mode::inference);
  const std::int64_t full = epoch_length_ / config_.batch, tail = epoch_length_ % config_.batch;
  for (std::int64_t i = 0; i < full + (tail > 0 ? 1 : 0); ++i) {
    if (should_stop && should_stop()) return false;
    const std::int64_t rows = i < full ? config_.batch : tail;
    std::unique_ptr<StepGraph>& graph = i < full ? full_step_ : tail_step_;
    if (graph) {
      graph->replay();
    } else {
      step(rows);  // the first step of a size may allocate scratch and choose algorithms; later ones are replays
      graph = ctx_.capture([this, rows] { step(rows); });
    }
  }
  return true;
}

std::vector<std::vector<double>> Lane::take_losses() {
  const LossSet::Sums sums = losses_->take_sums();
  std::vector<std::vector<double>> mean(tasks_.size());
  for (std::size_t r = 0; r < tasks_.size(); ++r)
    for (const std::vector<double>& loss : sums.loss) mean[r].push_back(loss[r] / static_cast<double>(epoch_length_));
  return mean;
}

double Lane::learning_rate() const { return optimizer_.learning_rate(); }

std::vector<Lane::Validation> Lane::validate() {
  std::int64_t most = 0;
  for (const ReplicaTask& t : tasks_) most = std::max(most, static_cast<std::int64_t>(t.validation.size()));
  std::vector<ClassificationTally> tallies(tasks_.size(), ClassificationTally(classes_));
  const int output = static_cast<int>(session_.network().nodes().size()) - 1;
  for (std::int64_t begin = 0; begin < most; begin += config_.batch) {
    const std::int64_t count = std::min(config_.batch, most - begin);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(replicas() * count), -1);
    for (std::size_t r = 0; r < tasks_.size(); ++r)
      for (std::int64_t i = 0; i < count; ++i)
        if (begin + i < static_cast<std::int64_t>(tasks_[r].validation.size()))
          rows[r * static_cast<std::size_t>(count) + static_cast<std::size_t>(i)] =
              tasks_[r].validation[static_cast<std::size_t>(begin + i)] + tasks_[r].preparation * cells_;
    ctx_.copy_to_device(rows_.data(), rows.data(), replicas() * count * 8);
    feed(batch_rows(count), count);
    session_.forward(count, Mode::inference);
    const std::vector<double> logits = download(ctx_, session_.value(output, 0, count));
    for (std::size_t r = 0; r < tasks_.size(); ++r)
      for (std::int64_t i = 0; i < count && begin + i < static_cast<std::int64_t>(tasks_[r].validation.size()); ++i)
        tallies[r].add(logits.data() + (static_cast<std::int64_t>(r) * count + i) * classes_,
                       validation_labels_[r][static_cast<std::size_t>(begin + i)]);
  }
  std::vector<Validation> all;
  for (const ClassificationTally& t : tallies) all.push_back({t.mean_cross_entropy(), t.accuracy(), t.macro_f1()});
  return all;
}

void Lane::keep(std::int64_t replica) {
  for (std::size_t i = 0; i < session_.network().parameters().size(); ++i) {
    const std::int64_t size = session_.network().parameters()[i].size * size_of(config_.dtype);
    const std::int64_t at = session_.parameter_offset(i) * size_of(config_.dtype) + replica * size;
    ctx_.copy_within(kept_.as<char>() + at, static_cast<char*>(session_.flat_weights().data) + at, size);
  }
}

void Lane::restore_kept() { ctx_.copy_within(session_.flat_weights().data, kept_.data(), kept_.bytes()); }

void Lane::set_active(const std::vector<std::int32_t>& active) { optimizer_.set_active(active); }

void Lane::save(const std::string& prefix, std::vector<NamedTensor>& out) const {
  out.push_back(flat_tensor(ctx_, prefix + "weights", session_.flat_weights()));
  out.push_back(flat_tensor(ctx_, prefix + "kept", {kept_.data(), config_.dtype, {session_.flat_size()}}));
  out.push_back(flat_tensor(ctx_, prefix + "step", session_.step()));
  optimizer_.save(prefix, out);
}

void Lane::load(const std::string& prefix, const std::vector<NamedTensor>& in) {
  set_flat_tensor(ctx_, in, prefix + "weights", session_.flat_weights());
  set_flat_tensor(ctx_, in, prefix + "kept", {kept_.data(), config_.dtype, {session_.flat_size()}});
  set_flat_tensor(ctx_, in, prefix + "step", session_.step());
  optimizer_.load(prefix, in);
}

}  // namespace genexx

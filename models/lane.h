// SPDX-License-Identifier: Apache-2.0
// The replicas that one context trains together: on the CPU one, on CUDA all. Owns their session, optimizer state and
// batch memory, and runs epochs of one phase.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/device_data.h"
#include "models/divergence.h"
#include "models/judge.h"
#include "models/loss.h"
#include "models/optimizer.h"
#include "models/session.h"
#include "models/step_pace.h"
#include "models/trainer.h"
#include "models/training_cells.h"

namespace genexx {

// What an epoch's steps were like for one replica.
struct EpochLosses {
  std::vector<double> losses;  // means, in the order of the phase's losses
  double accuracy = 0;         // as EpochRecord::training_accuracy
};

class Lane {
 public:
  // `data` lives on the same device as `ctx`; `set` and `config` outlive the lane.
  Lane(Context& ctx, const Network& network, const DeviceData& data, const TrainingSet& set,
       std::vector<ReplicaTask> tasks, const TrainerConfig& config, std::int64_t epoch_length);

  std::int64_t replicas() const { return static_cast<std::int64_t>(tasks_.size()); }

  // Starts phase `index` of the configuration: fresh optimizer, step 0, its own seeds, no weights put aside.
  void begin_phase(std::size_t index);

  // One epoch of training. `should_stop` is asked between steps on the CPU, about twice a second on a device. Returns
  // false when it said so: the epoch is then void.
  bool run_epoch(std::int64_t epoch, const std::function<bool()>& should_stop);

  // Of the last epoch, each replica.
  std::vector<EpochLosses> take_losses();
  std::vector<double> learning_rates() const { return optimizer_.learning_rates(); }
  void set_learning_rates(const std::vector<double>& rates) { optimizer_.set_learning_rates(rates); }

  // Judges every replica on its validation cells, or on a monitor's; NaN where there are none, and for what the kind of
  // training does not have.
  std::vector<Judgement> judge_validation();
  std::vector<Judgement> judge_monitor(std::size_t index);

  // Where a loss of this replica stopped being finite in the last epoch. Runs that step's forward pass again, so that
  // the batch is lost.
  Divergence divergence(std::int64_t replica);

  // Puts the current weights of a replica aside in a slot, or takes them back. Slot i belongs to rule i of the phase;
  // the one after the last is for the weights of replicas that stopped.
  void keep(std::int64_t replica, std::size_t slot);
  void restore(std::int64_t replica, std::size_t slot);
  // An inactive replica is not updated any more.
  void set_active(const std::vector<std::int32_t>& active) { optimizer_.set_active(active); }

  std::vector<NamedTensor> weights() const { return session_.weights(); }
  std::vector<NamedTensor> kept_weights(std::size_t slot);
  std::int64_t bytes() const;

  // Tensors of an exact resume, names beginning with `prefix`.
  void save(const std::string& prefix, std::vector<NamedTensor>& out) const;
  void load(const std::string& prefix, const std::vector<NamedTensor>& in);

 private:
  std::int64_t steps_per_epoch() const { return epoch_steps(epoch_length_, config_.batch, config_.short_batch); }
  bool run_steps(std::int64_t count, std::int64_t rows, const std::function<bool()>& should_stop);
  void step(std::int64_t rows);
  void draw(std::int64_t rows);
  void feed(const Tensor& rows, std::int64_t count);
  Tensor feed_targets(const Tensor& rows, std::int64_t count);
  Tensor batch_rows(std::int64_t count) const { return {rows_.data(), DType::i64, {replicas(), count}}; }
  Tensor batch_labels(std::int64_t count) const { return {labels_.data(), DType::i32, {replicas(), count}}; }
  Tensor batch_targets(std::int64_t count) const;
  void upload_statistics();
  std::unique_ptr<Judge> make_judge(const JudgedCells::Lists& cells);

  Context& ctx_;
  const DeviceData& data_;
  const TrainingSet& set_;
  std::vector<ReplicaTask> tasks_;
  const TrainerConfig& config_;
  std::int64_t genes_, epoch_length_;
  Session session_;
  Optimizer optimizer_;
  TrainingCells cells_;
  std::unique_ptr<LossSet> losses_;
  std::size_t phase_ = 0;
  std::vector<Buffer> kept_;              // flat copies of the weights, one a slot
  Buffer rows_, labels_, targets_;        // of the batch
  Buffer shift_, factor_, index_, mask_;  // [r, g]
  Buffer live_genes_;                     // [r], or empty
  Buffer class_weight_;                   // [r, k], or empty
  StepPace pace_;
  std::unique_ptr<Judge> validation_;
  std::vector<std::unique_ptr<Judge>> monitors_;  // made when first asked
  std::unique_ptr<StepGraph> full_step_, tail_step_;
};

}  // namespace genexx

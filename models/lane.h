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
#include "models/loss.h"
#include "models/optimizer.h"
#include "models/session.h"
#include "models/trainer.h"

namespace genexx {

class Lane {
 public:
  // Replicas [first, first + tasks.size()) of the run. `data` lives on the same device as `ctx`.
  Lane(Context& ctx, const Network& network, const DeviceData& data, const TrainingSet& set,
       std::vector<ReplicaTask> tasks, std::vector<Balance> balance, const TrainerConfig& config,
       std::int64_t epoch_length);

  std::int64_t replicas() const { return static_cast<std::int64_t>(tasks_.size()); }

  // Starts phase `index` of the configuration: fresh optimizer, step 0, its own seeds.
  void begin_phase(std::size_t index);

  // One epoch of training. `should_stop` is asked between steps. Returns false when it said so: the epoch is then void.
  bool run_epoch(std::int64_t epoch, const std::function<bool()>& should_stop);

  // Mean losses of the last epoch, [replica][loss].
  std::vector<std::vector<double>> take_losses();
  double learning_rate() const;

  struct Validation {
    double loss = 0, accuracy = 0, macro_f1 = 0;
  };
  // Judges every replica on its validation cells; NaN where there are none.
  std::vector<Validation> validate();

  // Puts the current weights of a replica aside, or all of them back.
  void keep(std::int64_t replica);
  void restore_kept();
  // An inactive replica is not updated any more.
  void set_active(const std::vector<std::int32_t>& active);

  std::vector<NamedTensor> weights() const { return session_.weights(); }
  std::vector<NamedTensor> kept_weights() const;
  std::int64_t bytes() const { return session_.bytes() + optimizer_.bytes(); }

  // Tensors of an exact resume, names beginning with `prefix`.
  void save(const std::string& prefix, std::vector<NamedTensor>& out) const;
  void load(const std::string& prefix, const std::vector<NamedTensor>& in);

 private:
  void step(std::int64_t rows);
  void feed(const Tensor& rows, std::int64_t count);
  Tensor batch_rows(std::int64_t count) const { return {rows_.data(), DType::i64, {replicas(), count}}; }
  Tensor batch_labels(std::int64_t count) const { return {labels_.data(), DType::i32, {replicas(), count}}; }
  void upload_statistics(const TrainingSet& set);
  void upload_cells(const TrainingSet& set);

  Context& ctx_;
  const DeviceData& data_;
  std::vector<ReplicaTask> tasks_;
  std::vector<Balance> balance_;
  const TrainerConfig& config_;
  std::int64_t cells_, classes_, genes_, epoch_length_;
  Session session_;
  Optimizer optimizer_;
  std::unique_ptr<LossSet> losses_;
  std::size_t phase_ = 0;
  Buffer kept_, rows_, labels_;                             // kept_: flat copy of weights
  Buffer train_, count_, alias_probability_, alias_index_;  // [r, longest]
  Buffer shift_, factor_, index_, mask_;                    // [r, g]
  std::int64_t longest_ = 0;
  enum class Masked { no, yes } masked_ = Masked::no;
  enum class Drawing { shuffled, weighted } drawing_ = Drawing::shuffled;
  std::vector<std::vector<std::int32_t>> validation_labels_;
  std::unique_ptr<StepGraph> full_step_, tail_step_;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Trains r replicas of one network as one run: phases, epochs, validation, choice of weights, exact resume.
//
// On the CPU each replica is a lane of its own, spread over the threads; on CUDA all replicas are one lane. Replica k
// gives the same numbers as a run of its own with its seed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/loss.h"
#include "models/network.h"
#include "models/training_set.h"

namespace genexx {

// When dropout acts. `first_epoch` is the published program's accident: validation switched it off for good.
enum class DropoutUse { always, first_epoch, never };

// Which weights a phase ends with.
enum class KeepWeights {
  best_validation,  // the latest epoch within one standard error of the best validation so far
  last
};

// How cells are drawn: each once an epoch, or with replacement so that classes come equally often.
enum class Balance {
  none,
  classes,          // weight 1 / n_c
  classes_softened  // weight 1 / sqrt(n_c)
};

struct PhaseConfig {
  std::string name;
  std::int64_t epochs = 0;
  double learning_rate = 1e-3;
  std::vector<LossSpec> losses;
  std::vector<std::string> trainable;  // prefixes of parameter names; empty: all
  DropoutUse dropout = DropoutUse::always;
  KeepWeights keep = KeepWeights::last;
  std::int64_t patience = 0;  // epochs without a better validation before a replica stops; 0: never
};

struct TrainerConfig {
  std::int64_t batch = 256;
  std::vector<PhaseConfig> phases;
  std::vector<Balance> balance;      // one for each replica
  double lr_decay = 1.0;             // learning rate factor ...
  std::int64_t lr_decay_steps = 20;  // ... every so many steps
  double label_smoothing = 0;
  SmallBatch small_batch = SmallBatch::guarded;
  DType dtype = DType::f32;
};

// One line of the history.
struct EpochRecord {
  std::string phase;
  std::int64_t epoch = 0;  // from 1
  std::int64_t replica = 0;
  std::vector<double> losses;  // mean over the epoch, in the order of the phase's losses
  double learning_rate = 0;    // at the end of the epoch
  double validation_loss = 0, validation_accuracy = 0, validation_macro_f1 = 0;  // NaN where there is no validation set
  bool best = false;  // within one standard error of the best validation so far: its weights are kept
  double seconds = 0;
};

// What the caller may watch and decide. All optional.
struct TrainerHooks {
  std::function<void(const EpochRecord&)> on_epoch;
  std::function<void()> on_checkpoint;  // after every epoch of all replicas; state() may be called
  std::function<bool()> should_stop;    // asked between steps; true abandons the epoch and throws StoppedError
};

class Trainer {
 public:
  // `ctx` is the device; for a CPU context its threads are used. All references must outlive the trainer. Throws
  // UsageError for a configuration that cannot be, DeviceError when memory is short.
  Trainer(Context& ctx, const Network& network, const TrainingSet& set, std::vector<ReplicaTask> replicas,
          const TrainerConfig& config, TrainerHooks hooks);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Trains what is left to do. Throws RuntimeError naming phase, epoch, replica and loss when one stops being finite,
  // StoppedError when asked to stop.
  void run();

  // Weights [r, ...] chosen by the phases done so far.
  std::vector<NamedTensor> weights() const;
  // One line for each epoch and replica, epochs restored by resume included.
  const std::vector<EpochRecord>& history() const;
  // Bytes of device memory held.
  std::int64_t bytes() const;

  // Everything a later run needs to go on as if it had never stopped, taken at an epoch's end.
  struct State {
    std::vector<NamedTensor> tensors;
    std::string json;
  };
  State state() const;
  // Throws InputError when the state belongs to another run.
  void resume(const State& state);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace genexx

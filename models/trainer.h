// SPDX-License-Identifier: Apache-2.0
// Trains r replicas of one network as one run: phases, epochs, validation, choice of weights, exact resume.
//
// On the CPU each replica is a lane of its own, spread over the threads; on CUDA all replicas are one lane. Replica k
// gives the same numbers as a run of its own with its seed. With several ranks each trains a share of the replicas;
// what every replica came to is known to all, and all come to the same bits as one rank does.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/communicator.h"
#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/judge.h"
#include "models/keep_rule.h"
#include "models/loss.h"
#include "models/network.h"
#include "models/optimizer.h"
#include "models/sampler.h"
#include "models/training_set.h"

namespace genexx {

// When dropout acts. `first_epoch` is the published scAnnoNet program's accident: validation switched it off for good.
enum class DropoutUse { always, first_epoch, never };

// After an epoch whose mean absolute error on a monitor's cells is above that of the epoch before, the learning rate is
// multiplied by `factor`, down to `floor`.
struct RateOnRise {
  double factor = 1;  // 1: never changed
  double floor = 0;
  std::int64_t monitor = 0;  // place in TrainingSet::monitors
};

struct PhaseConfig {
  static constexpr std::int64_t kLast = -1;

  std::string name;
  std::int64_t epochs = 0;
  double learning_rate = 1e-3;
  std::vector<LossSpec> losses;
  std::vector<std::string> trainable;  // prefixes of parameter names; empty: all
  OptimizerConfig optimizer;
  DropoutUse dropout = DropoutUse::always;
  RateOnRise rate_on_rise;
  std::vector<KeepRule> keep;      // weights to be put aside
  std::int64_t ends_with = kLast;  // the rule whose weights the phase ends with, where any were kept
  std::int64_t patience = 0;       // epochs without a better one by the first rule before a replica stops; 0: never
};

// What happens when a loss of a replica stops being finite: the run ends with an error, or the replica alone stops, its
// last epoch being the first without a finite loss, and the others go on.
enum class OnDivergence { fail, retire };

// What the rates' fall counts.
enum class DecayUnit { steps, epochs };

struct TrainerConfig {
  std::int64_t batch = 256;
  ShortBatch short_batch = ShortBatch::keep;
  std::vector<PhaseConfig> phases;
  double lr_decay = 1.0;             // learning rate factor ...
  std::int64_t lr_decay_steps = 20;  // ... every so many
  DecayUnit lr_decay_unit = DecayUnit::steps;
  double label_smoothing = 0;
  SmallBatch small_batch = SmallBatch::guarded;
  OnDivergence on_divergence = OnDivergence::fail;
  DType dtype = DType::f32;
};

// One line of the history.
struct EpochRecord {
  std::string phase;
  std::int64_t epoch = 0;  // from 1
  std::int64_t replica = 0;
  std::vector<double> losses;  // mean over the epoch, in the order of the phase's losses
  // Share of the epoch's rows whose largest output was their label, dropout acting; NaN where no loss counts it.
  double training_accuracy = std::numeric_limits<double>::quiet_NaN();
  double learning_rate = 0;           // at the end of the epoch
  Judgement validation;               // all NaN where there is no validation set
  std::vector<double> monitors = {};  // mean absolute error on each monitor; empty in classification
  double external = 0;                // what TrainerHooks::judge said; NaN without it
  bool best = false;                  // its weights are kept by the first rule
  double seconds = 0;
};

// What the caller may watch and decide. All optional. Every rank calls its own; what they tell and are told is the same
// on all ranks, except for should_stop: what one rank is asked stops all.
struct TrainerHooks {
  std::function<void(const EpochRecord&)> on_epoch;
  std::function<void()> on_checkpoint;  // after every epoch of all replicas; state() may be called
  std::function<bool()> should_stop;    // asked between steps; true abandons the epoch and throws StoppedError
  // The cost of every replica after an epoch, from the weights [r, ...] as they are then; Criterion::external.
  std::function<std::vector<double>(const std::vector<NamedTensor>&)> judge;
};

class Trainer {
 public:
  // `ctx` is the device; for a CPU context its threads are used. All references must outlive the trainer. Throws
  // UsageError for a configuration that cannot be, DeviceError when memory is short. `ranks` share the replicas out
  // among themselves; every rank is given all of them, and all call the same members in the same order. None: one rank.
  Trainer(Context& ctx, const Network& network, const TrainingSet& set, std::vector<ReplicaTask> replicas,
          const TrainerConfig& config, TrainerHooks hooks, Communicator* ranks = nullptr);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Trains what is left to do. Throws RuntimeError naming phase, epoch, replica and loss when one stops being finite
  // (OnDivergence::fail), StoppedError when asked to stop.
  void run();
  // The same, but pauses when `epochs` of the last phase are done: weights are then those of the last epoch, and
  // state() is what a run goes on from.
  void run_to(std::int64_t epochs);

  // Weights [r, ...] chosen by the phases done so far.
  std::vector<NamedTensor> weights() const;
  // Weights [r, ...] that rule `rule` of the last phase put aside, and for which replicas it ever did: the others' are
  // the weights of the phase's start.
  struct Kept {
    std::vector<NamedTensor> weights;
    std::vector<bool> met;
  };
  Kept kept(std::size_t rule) const;
  // One line for each epoch and replica, epochs restored by resume included.
  const std::vector<EpochRecord>& history() const;
  // Bytes of device memory held by this rank.
  std::int64_t bytes() const;

  // Everything a later run, of any number of ranks, needs to go on as if it had never stopped, taken at an epoch's end.
  // Whole on rank 0; others have no tensors.
  struct State {
    std::vector<NamedTensor> tensors;
    std::string json;
  };
  State state() const;
  // Every rank is given the whole state. Throws InputError when it belongs to another run.
  void resume(const State& state);

 private:
  struct Parts;
  std::unique_ptr<SingleRank> alone_;  // where no ranks were given
  std::unique_ptr<Parts> parts_;
};

}  // namespace genexx

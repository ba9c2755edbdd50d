// SPDX-License-Identifier: Apache-2.0
// Updates all trainable parameters of a session in one launch, with a learning rate that falls by steps.
#pragma once

#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/session.h"

namespace genexx {

// Parameters whose names begin with `prefix` learn at `scale` times the rate.
struct RateScale {
  std::string prefix;
  double scale = 1;
};

struct OptimizerConfig {
  enum class Kind {
    adam,   // weight decay added to the gradient (L2)
    adamw,  // weight decay apart from the gradient
    sgd     // with momentum; weight decay added to the gradient
  };
  Kind kind = Kind::adam;
  DType moments = DType::f32;  // f32: as the weights; bf16: rounded at random (kernels/moment_rounding.h)
  double weight_decay = 0;
  double momentum = 0.9;                              // sgd
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // adam, adamw
  std::vector<RateScale> rate_scales;                 // where several fit, the first counts
};

// The storage of moments that configurations call `name`: fp32 or bf16. Throws UsageError for anything else.
DType moments_called(const std::string& name);

class Optimizer {
 public:
  explicit Optimizer(Session& session);

  struct Start {
    OptimizerConfig config;
    std::vector<double> learning_rate, weight_decay;  // [r]
    double decay = 1;                                 // learning rate factor ...
    std::int64_t decay_steps = 1;                     // ... every so many steps
    std::vector<std::string> trainable;               // prefixes of parameter names; empty: all learned ones
  };
  // Forgets all moments and sets the rates. Throws UsageError for bf16 moments of weights that are not f32.
  void begin(const Start& start);

  // Updates the weights from the gradients of the session, then counts the step and sets the next rate. Allocates
  // nothing.
  void step();

  // Replicas with 0 are left as they are.
  void set_active(const std::vector<std::int32_t>& active);
  // The same on the device, [r] i32: a step may put out a replica itself.
  Tensor active() const { return {active_.data(), DType::i32, {session_.options().replicas}}; }
  // The rate of each replica, now; synchronizes.
  std::vector<double> learning_rates() const;
  // Sets the rates from here on. The fall by steps must be off.
  void set_learning_rates(const std::vector<double>& rates);
  std::int64_t bytes() const { return m_.bytes() + v_.bytes(); }

  void save(const std::string& prefix, std::vector<NamedTensor>& out) const;
  void load(const std::string& prefix, const std::vector<NamedTensor>& in);

 private:
  Tensor per_replica(const Buffer& buffer) const;
  Tensor flat(const Buffer& buffer) const;
  DType moment_type() const;

  Session& session_;
  OptimizerConfig config_;
  Buffer m_, v_, lr_, base_lr_, weight_decay_, active_, chunks_;  // m_: first moments, or velocities
  double decay_ = 1;
  std::int64_t decay_steps_ = 1;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Adam over all trainable parameters of a session in one launch, with a learning rate that falls by steps.
#pragma once

#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/named_tensor.h"
#include "models/session.h"

namespace genexx {

class Optimizer {
 public:
  explicit Optimizer(Session& session);

  // Forgets all moments and sets the rate. `trainable` are prefixes of parameter names; empty: all parameters.
  void begin(double learning_rate, double decay, std::int64_t decay_steps, const std::vector<std::string>& trainable);

  // Updates the weights from the gradients of the session, then counts the step and sets the next rate. Allocates
  // nothing.
  void step();

  // Replicas with 0 are left as they are.
  void set_active(const std::vector<std::int32_t>& active);
  double learning_rate() const;  // of replica 0, now; synchronizes
  std::int64_t bytes() const { return m_.bytes() + v_.bytes(); }

  void save(const std::string& prefix, std::vector<NamedTensor>& out) const;
  void load(const std::string& prefix, const std::vector<NamedTensor>& in);

 private:
  Session& session_;
  Buffer m_, v_, lr_, base_lr_, active_, chunks_;
  double decay_ = 1;
  std::int64_t decay_steps_ = 1;
};

}  // namespace genexx

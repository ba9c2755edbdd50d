// SPDX-License-Identifier: Apache-2.0
// Short trainings on one batch, dropout off, that both sides of a comparison can repeat: the batch is all there is, so
// the order of its cells does not matter.
#pragma once

#include <string>
#include <vector>

#include "bench/training/step_case.h"
#include "engine/context.h"
#include "engine/named_tensor.h"

namespace genexx::bench {

struct Trajectory {
  std::vector<NamedTensor> before, after;  // weights
  struct Phase {
    std::string name;
    std::int64_t losses = 0;     // of each step
    std::vector<double> values;  // [steps, losses]
  };
  std::vector<Phase> phases;
};

// `steps` of each phase on the first batch.
Trajectory trajectory(Context& ctx, const StepCase& c, DType dtype, std::int64_t steps);

// The weights in f32 that every trajectory begins with.
std::vector<NamedTensor> first_weights(Context& ctx, const StepCase& c);

// The gradient of the first step of phase `index` from the first weights. A step may have no gradient to look at where
// the update is part of the product, so it is read from the update itself: with w' = w - 2^20 g the difference holds g
// to the last bits wherever g is not tiny beside w. Parameters the phase does not train are left out.
std::vector<NamedTensor> first_gradient(Context& ctx, const StepCase& c, DType dtype, std::size_t index);

// The values of a f32 or f64 tensor.
std::vector<double> values_of(const NamedTensor& tensor);

// || found - expected || / || expected ||; 0 where both are zero.
double relative_distance(const std::vector<double>& found, const std::vector<double>& expected);

// A bias in front of batch norm has no effect: its gradient is rounding noise, and Adam makes a walk of it.
bool shadowed_by_norm(const std::string& name, const std::vector<NamedTensor>& all);

}  // namespace genexx::bench

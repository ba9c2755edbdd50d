// SPDX-License-Identifier: Apache-2.0
// What the comparison of training steps needs of a system: random, realistic data, the network, and how it is trained.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/thread_pool.h"
#include "models/trainer.h"

namespace genexx::bench {

// Sizes; 0: the system's own.
struct StepSizes {
  std::int64_t cells = 0, inputs = 0, outputs = 0, hidden = 0, layers = 0, batch = 0;
  double density = 0;
};

enum class StepDropout { on, off };

struct StepCase {
  StepSizes sizes;  // none is 0, but those the system does not have
  TrainingSet set;
  std::function<Network(StepDropout)> network;
  std::function<TrainerConfig(const Network&)> trainer;  // its phases with one epoch each
};

StepCase scannonet_case(StepSizes sizes, ThreadPool& pool);
StepCase dgex_case(StepSizes sizes, ThreadPool& pool);
StepCase fly_case(StepSizes sizes, ThreadPool& pool);
StepCase transbrain_case(StepSizes sizes, ThreadPool& pool);

// Sets every size that is 0 to its default.
void fill_in(StepSizes& sizes, const StepSizes& defaults);

}  // namespace genexx::bench

// SPDX-License-Identifier: Apache-2.0
// How much memory a training will take, before it takes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/trainer.h"

namespace genexx {

// Bytes that a Trainer will hold beside the data set, and those of the copy that becomes a checkpoint.
std::int64_t estimate_trainer_bytes(const Network& network, const std::vector<ReplicaTask>& tasks,
                                    const TrainerConfig& config);

struct MemoryNeed {
  std::string what;
  std::int64_t bytes = 0;
};

// What a Trainer will hold on a device that has memory of its own, the data set included, the largest first.
std::vector<MemoryNeed> device_memory_needs(const Network& network, const TrainingSet& set,
                                            const std::vector<ReplicaTask>& tasks, const TrainerConfig& config);

// Throws DeviceError with a table of who needs how much where the device has less free; a context that takes memory of
// the host is not asked.
void expect_device_memory(const Context& ctx, const std::vector<MemoryNeed>& needs);

}  // namespace genexx

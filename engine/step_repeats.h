// SPDX-License-Identifier: Apache-2.0
// How a device is given a recorded step many times at one call of the host.
#pragma once

#include <cstdint>

namespace genexx {

enum class StepRepeats {
  loop,      // one graph with a WHILE node that counts down on the device: any number of steps, one launch
  unrolled,  // one graph with several copies of the step behind one another
  single     // one launch a step
};

// Versions as CUDA numbers them: 12040 is 12.4, the first with WHILE nodes in both the runtime and the driver.
StepRepeats step_repeats(int runtime_version, int driver_version);

// What to try when a device refuses a form.
StepRepeats simpler(StepRepeats form);

// How many copies of a step of `nodes` nodes an unrolled graph holds: at most about 4096 nodes, since every copy costs
// device memory and time to instantiate. At least 1.
std::int64_t unrolled_steps(std::int64_t nodes);

}  // namespace genexx

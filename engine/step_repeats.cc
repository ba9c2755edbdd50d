// SPDX-License-Identifier: Apache-2.0
#include "engine/step_repeats.h"

#include <algorithm>

namespace genexx {
namespace {

constexpr int kLoopVersion = 12040;
constexpr std::int64_t kMostNodes = 4096;

}  // namespace

StepRepeats step_repeats(int runtime_version, int driver_version) {
  return std::min(runtime_version, driver_version) >= kLoopVersion ? StepRepeats::loop : StepRepeats::unrolled;
}

StepRepeats simpler(StepRepeats form) {
  return form == StepRepeats::loop ? StepRepeats::unrolled : StepRepeats::single;
}

std::int64_t unrolled_steps(std::int64_t nodes) {
  return std::max<std::int64_t>(1, kMostNodes / std::max<std::int64_t>(1, nodes));
}

}  // namespace genexx

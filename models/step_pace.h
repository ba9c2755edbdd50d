// SPDX-License-Identifier: Apache-2.0
// How many steps a device is given at once, so that the host sleeps meanwhile and is still heard within a second.
#pragma once

#include <algorithm>
#include <cstdint>

namespace genexx {

class StepPace {
 public:
  // Of `left` steps, how many to give now.
  std::int64_t next(std::int64_t left) const { return std::min(left, steps_); }

  // What was given took so long. Grows at most eightfold, for the first steps of a run may be slow for other reasons.
  void took(std::int64_t steps, double seconds) {
    const double most = 8.0 * static_cast<double>(steps);
    const double wanted = seconds > 0 ? static_cast<double>(steps) * kSeconds / seconds : most;
    steps_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(wanted, most)));
  }

 private:
  static constexpr double kSeconds = 0.5;
  std::int64_t steps_ = 8;
};

}  // namespace genexx

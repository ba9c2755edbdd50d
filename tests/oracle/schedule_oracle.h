// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace genexx::oracle {

// The learning rate after `step` steps: multiplied by `factor` once every `every` steps.
inline double scheduled_rate(double base, double factor, std::int64_t every, std::int64_t step) {
  for (std::int64_t i = 1; i <= step; ++i)
    if (i % every == 0) base *= factor;
  return base;
}

}  // namespace genexx::oracle

// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/schedule.h"

namespace genexx::schedule::cpu {

void run(CpuContext&, const Args& a) {
  for (std::int64_t r = 0; r < a.step.shape.elements(); ++r) {
    const std::int64_t step = ++a.step.as<std::int64_t>()[r];
    a.lr.as<double>()[r] = a.base_lr.as<double>()[r] * std::pow(a.factor, static_cast<double>(step / a.every));
  }
}

}  // namespace genexx::schedule::cpu

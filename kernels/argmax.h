// SPDX-License-Identifier: Apache-2.0
// The class that scores speak for, on the CPU; see kernels/metrics_confusion.h.
#pragma once

#include <cstdint>

namespace genexx {

// The first of the largest of k scores; NaN is never the largest, and all NaN give class 0.
template <class T>
std::int32_t argmax(std::int64_t k, const T* scores) {
  std::int64_t best = -1;
  for (std::int64_t c = 0; c < k; ++c)
    if (scores[c] == scores[c] && (best < 0 || scores[c] > scores[best])) best = c;
  return best < 0 ? 0 : static_cast<std::int32_t>(best);
}

}  // namespace genexx

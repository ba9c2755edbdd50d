// SPDX-License-Identifier: Apache-2.0
// Sums on the CPU whose order is fixed by shape alone, so that bits depend neither on threads nor on other replicas.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/context.h"

namespace genexx {

// term(0) + ... + term(count - 1) in double: element i goes to running sum i % 8 (wide enough for vector instructions),
// then the eight are added in pairs.
template <class Term>
double lane_sum(std::int64_t count, Term&& term) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lanes[l] += static_cast<double>(term(i + l));
  for (int l = 0; i < count; ++i, ++l) lanes[l] += static_cast<double>(term(i));
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

struct SumExtents {
  std::int64_t replicas = 0;
  std::int64_t count = 0;  // of each replica
  std::int64_t range = 1;  // elements of one task
};

// For each replica: part(replica, begin, end) -> double for consecutive ranges of [0, count), on the threads of `ctx`;
// then done(replica, total) with the parts added in ascending order. Scratch: one double a range.
template <class Part, class Done>
void sum_ranges(CpuContext& ctx, const SumExtents& e, Part&& part, Done&& done) {
  const std::int64_t ranges = (e.count + e.range - 1) / e.range;
  ScratchFrame frame(ctx);
  double* const partial = frame.take<double>(e.replicas * ranges);
  ctx.parallel(e.replicas * ranges, [&](std::int64_t task) {
    const std::int64_t replica = task / ranges, begin = task % ranges * e.range;
    partial[task] = part(replica, begin, std::min(e.count, begin + e.range));
  });
  for (std::int64_t replica = 0; replica < e.replicas; ++replica) {
    double total = 0;
    for (std::int64_t i = 0; i < ranges; ++i) total += partial[replica * ranges + i];
    done(replica, total);
  }
}

}  // namespace genexx

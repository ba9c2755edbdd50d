// SPDX-License-Identifier: Apache-2.0
// Cutting elementwise work into ranges of fixed length for the threads of a CpuContext.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/context.h"

namespace genexx {

// Elements of one range: long enough to be worth handing to a thread, a multiple of every vector length.
constexpr std::int64_t kCpuRange = 1 << 14;

// Calls body(begin, end) for consecutive ranges of [0, count). Ranges depend on `count` alone, never on threads.
template <class Body>
void for_ranges(CpuContext& ctx, std::int64_t count, Body&& body) {
  ctx.parallel((count + kCpuRange - 1) / kCpuRange,
               [&](std::int64_t part) { body(part * kCpuRange, std::min(count, (part + 1) * kCpuRange)); });
}

}  // namespace genexx

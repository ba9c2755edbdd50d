// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/dispatch.h"
#include "kernels/dropout_row.h"

namespace genexx::dropout::cpu {
namespace {

constexpr std::int64_t kTaskElements = 1 << 14;

template <class T>
void apply_typed(CpuContext& ctx, const Args& a) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const std::int64_t r = a.x.shape[0], n = a.x.shape[1], c = a.x.shape[2];
  const std::int64_t rows = std::max<std::int64_t>(1, kTaskElements / c), parts = (n + rows - 1) / rows;
  ctx.parallel(r * parts, [&](std::int64_t task) {
    const std::int64_t k = task / parts, begin = task % parts * rows, end = std::min(n, begin + rows);
    const Draw draw = draw_of(a, k);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t at = (k * n + i) * c;
      drop_stretch(table, draw, {.row = static_cast<std::uint32_t>(a.first_row + i), .first = 0, .count = c}, a.mode,
                   a.x.as<T>() + at, a.y.as<T>() + at);
    }
  });
}

}  // namespace

void apply(CpuContext& ctx, const Args& args) {
  on_float(args.x.dtype, [&](auto zero) { apply_typed<decltype(zero)>(ctx, args); });
}

}  // namespace genexx::dropout::cpu

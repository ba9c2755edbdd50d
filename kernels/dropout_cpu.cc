// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/philox.h"
#include "kernels/dispatch.h"
#include "kernels/dropout.h"
#include "kernels/simd/simd.h"

namespace genexx::dropout::cpu {
namespace {

constexpr std::int64_t kTaskElements = 1 << 14;

// What the rows of one replica share.
struct Draw {
  Rate rate;
  PhiloxKey key;
  std::uint32_t step_lo = 0, step_hi = 0;
};

Draw draw_of(const Args& a, std::int64_t k) {
  const auto step = static_cast<std::uint64_t>(a.step.as<std::int64_t>()[k]);
  return {rate_of(a.rate.as<double>()[k]),
          philox_key(static_cast<std::uint64_t>(a.seed.as<std::int64_t>()[k]), a.stream),
          static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)};
}

// A row whose units share one fate.
template <class T>
void whole_row(std::int64_t c, bool kept, T scale, WriteMode mode, const T* x, T* y) {
  for (std::int64_t u = 0; u < c; ++u) {
    const T value = kept ? x[u] * scale : T{0};
    y[u] = mode == WriteMode::accumulate ? y[u] + value : value;
  }
}

template <class T>
void one_row(const simd::Table<T>& table, const Args& a, const Draw& d, std::uint32_t row, const T* x, T* y) {
  const std::int64_t c = a.x.shape[2];
  const T scale = static_cast<T>(d.rate.scale);
  if (d.rate.all || d.rate.threshold == 0) return whole_row(c, !d.rate.all, scale, a.mode, x, y);
  if (a.form == Form::row) {
    const std::uint32_t word = philox(d.key, {0, row, d.step_lo, d.step_hi}).x;
    return whole_row(c, word >= d.rate.threshold, scale, a.mode, x, y);
  }
  simd::DropoutRow units;
  units.units = c;
  units.key_lo = d.key.lo;
  units.key_hi = d.key.hi;
  units.row = row;
  units.step_lo = d.step_lo;
  units.step_hi = d.step_hi;
  units.threshold = d.rate.threshold;
  units.accumulate = a.mode == WriteMode::accumulate;
  table.dropout(units, scale, x, y);
}

template <class T>
void apply_typed(CpuContext& ctx, const Args& a) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const std::int64_t r = a.x.shape[0], n = a.x.shape[1], c = a.x.shape[2];
  const std::int64_t rows = std::max<std::int64_t>(1, kTaskElements / c), parts = (n + rows - 1) / rows;
  ctx.parallel(r * parts, [&](std::int64_t task) {
    const std::int64_t k = task / parts, begin = task % parts * rows, end = std::min(n, begin + rows);
    const Draw d = draw_of(a, k);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t at = (k * n + i) * c;
      one_row(table, a, d, static_cast<std::uint32_t>(a.first_row + i), a.x.as<T>() + at, a.y.as<T>() + at);
    }
  });
}

}  // namespace

void apply(CpuContext& ctx, const Args& args) {
  on_float(args.x.dtype, [&](auto zero) { apply_typed<decltype(zero)>(ctx, args); });
}

}  // namespace genexx::dropout::cpu

// SPDX-License-Identifier: Apache-2.0
// Dropout of a stretch of one row on the CPU, for every op that drops units; formulas in kernels/dropout.h.
#pragma once

#include <cstdint>

#include "engine/philox.h"
#include "kernels/dropout.h"
#include "kernels/simd/simd.h"

namespace genexx::dropout {

// What the rows of one replica share.
struct Draw {
  Rate rate;
  PhiloxKey key;
  std::uint32_t step_lo = 0, step_hi = 0;
  Form form = Form::unit;

  bool drops_nothing() const { return !rate.all && rate.threshold == 0; }
};

// Of replica k; A has the members seed, step, rate, stream and form of dropout::Args.
template <class A>
Draw draw_of(const A& a, std::int64_t k) {
  const auto step = static_cast<std::uint64_t>(a.step.template as<std::int64_t>()[k]);
  return {rate_of(a.rate.template as<double>()[k]),
          philox_key(static_cast<std::uint64_t>(a.seed.template as<std::int64_t>()[k]), a.stream),
          static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32), a.form};
}

// Units that share one fate.
template <class T>
void keep_or_drop(std::int64_t count, bool kept, T scale, WriteMode mode, const T* x, T* y) {
  for (std::int64_t u = 0; u < count; ++u) {
    const T value = kept ? x[u] * scale : T{0};
    y[u] = mode == WriteMode::accumulate ? y[u] + value : value;
  }
}

// Units [first, first + count) of row `row`.
struct Stretch {
  std::uint32_t row = 0;
  std::int64_t first = 0;  // a multiple of 4
  std::int64_t count = 0;
};

// y (+)= x * keep / (1 - p); x and y point at the stretch's first unit, y may be x.
template <class T>
void drop_stretch(const simd::Table<T>& table, const Draw& d, const Stretch& s, WriteMode mode, const T* x, T* y) {
  const T scale = static_cast<T>(d.rate.scale);
  if (d.rate.all || d.rate.threshold == 0) return keep_or_drop(s.count, !d.rate.all, scale, mode, x, y);
  if (d.form == Form::row) {
    const std::uint32_t word = philox(d.key, {0, s.row, d.step_lo, d.step_hi}).x;
    return keep_or_drop(s.count, word >= d.rate.threshold, scale, mode, x, y);
  }
  simd::DropoutRow units;
  units.units = s.count;
  units.first = static_cast<std::uint32_t>(s.first / 4);
  units.key_lo = d.key.lo;
  units.key_hi = d.key.hi;
  units.row = s.row;
  units.step_lo = d.step_lo;
  units.step_hi = d.step_hi;
  units.threshold = d.rate.threshold;
  units.accumulate = mode == WriteMode::accumulate;
  table.dropout(units, scale, x, y);
}

}  // namespace genexx::dropout

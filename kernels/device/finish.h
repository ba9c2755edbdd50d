// SPDX-License-Identifier: Apache-2.0
// Activation and dropout of four neighbouring units in device code; formulas in kernels/activation_dropout.h.
#pragma once

#include "engine/philox.h"
#include "kernels/activation_dropout.h"
#include "kernels/device/activation_functions.h"
#include "kernels/device/quads.h"
#include "kernels/launch.h"

namespace genexx::device {

// activation_dropout::Finish as kernels take it.
struct FinishCall {
  bool activates;
  activation::Kind kind;
  const std::int64_t* seed;
  const std::int64_t* step;
  const double* rate;  // null: no dropout
  std::uint32_t stream, first_row;
  dropout::Form form;
  bool nothing() const { return !activates && rate == nullptr; }
};

inline FinishCall finish_call(const activation_dropout::Finish& f) {
  return {f.activation.has_value(),
          f.activation.value_or(activation::Kind::relu),
          f.rate ? f.seed.as<std::int64_t>() : nullptr,
          f.rate ? f.step.as<std::int64_t>() : nullptr,
          f.rate ? f.rate.as<double>() : nullptr,
          f.stream,
          static_cast<std::uint32_t>(f.first_row),
          f.form};
}

// What a thread keeps of it for one replica.
template <class T>
struct UnitFinish {
  bool activates, drops;
  activation::Kind kind;
  dropout::Form form;
  dropout::Rate rate;
  T scale, left;  // 1 / (1 - p) and 1 - p
  PhiloxKey key;
  std::uint32_t first_row, step_lo, step_hi;

  // Which units of a quad live, bit j for lane j.
  __device__ unsigned kept(std::int64_t row, std::int64_t quad) const {
    if (rate.all) return 0;
    if (rate.threshold == 0) return 15;
    const bool by_unit = form == dropout::Form::unit;
    const PhiloxCounter w = philox(key, {by_unit ? static_cast<std::uint32_t>(quad) : 0u,
                                         first_row + static_cast<std::uint32_t>(row), step_lo, step_hi});
    if (!by_unit) return w.x >= rate.threshold ? 15 : 0;
    return (w.x >= rate.threshold ? 1u : 0u) | (w.y >= rate.threshold ? 2u : 0u) | (w.z >= rate.threshold ? 4u : 0u) |
           (w.w >= rate.threshold ? 8u : 0u);
  }

  __device__ Quad<T> forward(std::int64_t row, std::int64_t quad, Quad<T> x) const {
    if (activates)
      for (int j = 0; j < 4; ++j) x.lane[j] = activation::apply(kind, x.lane[j]);
    if (!drops) return x;
    const unsigned alive = kept(row, quad);
    for (int j = 0; j < 4; ++j) x.lane[j] = alive >> j & 1u ? x.lane[j] * scale : T(0);
    return x;
  }

  // From y, the output of forward, and its gradient.
  __device__ Quad<T> backward(std::int64_t row, std::int64_t quad, const Quad<T>& y, Quad<T> dy) const {
    if (activates && kind == activation::Kind::relu) {
      for (int j = 0; j < 4; ++j) dy.lane[j] = y.lane[j] > T(0) ? dy.lane[j] * scale : T(0);
      return dy;
    }
    if (drops) {
      const unsigned alive = kept(row, quad);
      for (int j = 0; j < 4; ++j) dy.lane[j] = alive >> j & 1u ? dy.lane[j] * scale : T(0);
    }
    if (activates)
      for (int j = 0; j < 4; ++j) dy.lane[j] *= activation::derivative(kind, y.lane[j] * left);
    return dy;
  }
};

template <class T>
__device__ inline UnitFinish<T> unit_finish(const FinishCall& f, std::int64_t k) {
  UnitFinish<T> u = {};
  u.activates = f.activates;
  u.kind = f.kind;
  u.form = f.form;
  u.drops = f.rate != nullptr;
  u.scale = u.left = T(1);
  if (!u.drops) return u;
  u.rate = dropout::rate_of(f.rate[k]);
  u.scale = T(u.rate.scale);
  u.left = u.rate.all ? T(0) : T(1 / u.rate.scale);
  u.key = philox_key(static_cast<std::uint64_t>(f.seed[k]), f.stream);
  u.first_row = f.first_row;
  const auto step = static_cast<std::uint64_t>(f.step[k]);
  u.step_lo = static_cast<std::uint32_t>(step);
  u.step_hi = static_cast<std::uint32_t>(step >> 32);
  return u;
}

}  // namespace genexx::device

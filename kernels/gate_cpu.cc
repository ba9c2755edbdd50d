// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/cpu_ranges.h"
#include "kernels/dispatch.h"
#include "kernels/expect.h"
#include "kernels/gate.h"
#include "kernels/simd/simd.h"

namespace genexx::gate::cpu {
namespace {

// Calls body(begin, x_begin, length) for ranges of the elements of each replica; x_begin is `begin` in a shared x.
template <class Body>
void each_range(CpuContext& ctx, const ConstTensor& gate, const ConstTensor& x, Body&& body) {
  const std::int64_t r = gate.shape[0], per = gate.shape.elements() / r, x_stride = replica_stride(x, r);
  const std::int64_t parts = (per + kCpuRange - 1) / kCpuRange;
  ctx.parallel(r * parts, [&](std::int64_t task) {
    const std::int64_t k = task / parts, first = task % parts * kCpuRange;
    body(k * per + first, k * x_stride + first, std::min(kCpuRange, per - first));
  });
}

// The arrays of one range.
template <class T>
struct Range {
  std::int64_t count;
  const T* gate;
  const T* x;
  const T* dy;     // null: zero
  const T* dgate;  // null: zero
  T* dlogits;      // may be dy or dgate
  T* dx;           // null: not wanted
};

template <class T>
void assign(WriteMode mode, T& target, T value) {
  target = mode == WriteMode::accumulate ? target + value : value;
}

template <class T>
void backward_range(WriteMode mode, const Range<T>& a) {
  if (a.dx)
    for (std::int64_t i = 0; i < a.count; ++i) assign(mode, a.dx[i], a.dy ? a.dy[i] * a.gate[i] : T{0});
  const auto slope = [&](std::int64_t i) { return a.gate[i] * (T{1} - a.gate[i]); };
  if (a.dy && a.dgate) {
    for (std::int64_t i = 0; i < a.count; ++i) assign(mode, a.dlogits[i], (a.dy[i] * a.x[i] + a.dgate[i]) * slope(i));
  } else if (a.dy) {
    for (std::int64_t i = 0; i < a.count; ++i) assign(mode, a.dlogits[i], a.dy[i] * a.x[i] * slope(i));
  } else {
    for (std::int64_t i = 0; i < a.count; ++i) assign(mode, a.dlogits[i], a.dgate ? a.dgate[i] * slope(i) : T{0});
  }
}

template <class T>
const T* at(const ConstTensor& t, std::int64_t i) {
  return t ? t.as<T>() + i : nullptr;
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args) {
  on_float(args.gate.dtype, [&](auto zero) {
    using T = decltype(zero);
    const simd::Table<T>& table = simd::table<T>(ctx.isa());
    each_range(ctx, args.gate, args.x, [&](std::int64_t begin, std::int64_t x_begin, std::int64_t count) {
      const T* x = args.x.as<T>() + x_begin;
      T* gate = args.gate.as<T>() + begin;
      T* y = args.y.as<T>() + begin;
      table.sigmoid(count, args.logits.as<T>() + begin, gate);
      for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * gate[i];
    });
  });
}

void backward(CpuContext& ctx, const BackwardArgs& args) {
  on_float(args.gate.dtype, [&](auto zero) {
    using T = decltype(zero);
    each_range(ctx, args.gate, args.x, [&](std::int64_t begin, std::int64_t x_begin, std::int64_t count) {
      const Range<T> range = {count,
                              args.gate.as<T>() + begin,
                              at<T>(args.x, x_begin),
                              at<T>(args.dy, begin),
                              at<T>(args.dgate, begin),
                              args.dlogits.as<T>() + begin,
                              args.dx ? args.dx.as<T>() + begin : nullptr};
      backward_range(args.mode, range);
    });
  });
}

}  // namespace genexx::gate::cpu

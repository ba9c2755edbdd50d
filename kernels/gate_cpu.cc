// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/cpu_ranges.h"
#include "kernels/cpu_sums.h"
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

// n M of the discriminative loss of replica k.
double divisor_of(const Pull& p, const Shape& shape, std::int64_t k) {
  const double genes = p.mask ? p.mask_sum.as<double>()[k] : static_cast<double>(shape[2]);
  return static_cast<double>(shape[1]) * genes;
}

// What pulls the gates of replica k.
template <class T>
simd::DistanceRun<T> pull_of(const Pull& p, const Shape& shape, std::int64_t k) {
  const double divisor = divisor_of(p, shape, k), scale = p.scale ? p.scale.as<double>()[k] : 1.0;
  simd::DistanceRun<T> pull;
  pull.n = shape[2];
  pull.target = p.index.as<T>() + k * replica_stride(p.index, shape[0]);
  pull.mask = p.mask ? p.mask.as<T>() + k * replica_stride(p.mask, shape[0]) : nullptr;
  pull.factor = static_cast<T>(divisor == 0 ? 0 : 2 * scale / divisor);
  return pull;
}

std::int64_t rows_of_task(std::int64_t g) {
  return std::max<std::int64_t>(1, kCpuRange / std::max<std::int64_t>(1, g));
}

// Whole rows, each with its share of the loss, whose sums are those of discriminative_loss.
template <class T>
void forward_with_pull(CpuContext& ctx, const ForwardArgs& a) {
  const Shape& shape = a.gate.shape;
  const std::int64_t n = shape[1], g = shape[2], x_stride = replica_stride(a.x, shape[0]);
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  sum_ranges(
      ctx, {.replicas = shape[0], .count = n, .range = rows_of_task(g)},
      [&](std::int64_t k, std::int64_t begin, std::int64_t end) {
        simd::DistanceRun<T> pull = pull_of<T>(a.pull, shape, k);
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) {
          const T* x = a.x.as<T>() + k * x_stride + i * g;
          T* gate = a.gate.as<T>() + (k * n + i) * g;
          T* y = a.y.as<T>() + (k * n + i) * g;
          table.sigmoid(g, a.logits.as<T>() + (k * n + i) * g, gate);
          for (std::int64_t j = 0; j < g; ++j) y[j] = x[j] * gate[j];
          pull.x = gate;
          sum += table.distance(pull);
        }
        return sum;
      },
      [&](std::int64_t k, double sum) {
        const double divisor = divisor_of(a.pull, shape, k);
        a.pull.loss.as<double>()[k] = divisor == 0 ? 0 : sum / divisor;
      });
}

// The loss's part of dA of one row, as discriminative_loss gives it, and what else reaches the gate.
template <class T>
void pull_row(const simd::DistanceRun<T>& pull, const T* gate, const T* dgate, T* sum) {
  for (std::int64_t j = 0; j < pull.n; ++j) sum[j] = pull.factor * (gate[j] - pull.target[j]);
  if (pull.mask)
    for (std::int64_t j = 0; j < pull.n; ++j) sum[j] *= pull.mask[j];
  if (dgate)
    for (std::int64_t j = 0; j < pull.n; ++j) sum[j] += dgate[j];
}

template <class T>
void backward_with_pull(CpuContext& ctx, const BackwardArgs& a) {
  const Shape& shape = a.gate.shape;
  const std::int64_t n = shape[1], g = shape[2], x_stride = replica_stride(a.x, shape[0]), rows = rows_of_task(g);
  const std::int64_t parts = (n + rows - 1) / rows;
  ScratchFrame frame(ctx);
  T* const sums = frame.take<T>(ctx.threads() * g);
  ctx.parallel_on(shape[0] * parts, [&](int thread, std::int64_t task) {
    const std::int64_t k = task / parts, begin = task % parts * rows, end = std::min(n, begin + rows);
    const simd::DistanceRun<T> pull = pull_of<T>(a.pull, shape, k);
    T* const reaching = sums + thread * g;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = (k * n + i) * g;
      const T* gate = a.gate.as<T>() + row;
      pull_row(pull, gate, at<T>(a.dgate, row), reaching);
      backward_range(a.mode, Range<T>{g, gate, at<T>(a.x, k * x_stride + i * g), at<T>(a.dy, row), reaching,
                                      a.dlogits.as<T>() + row, a.dx ? a.dx.as<T>() + row : nullptr});
    }
  });
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args) {
  on_float(args.gate.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (args.pull.index) return forward_with_pull<T>(ctx, args);
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
    if (args.pull.index) return backward_with_pull<T>(ctx, args);
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

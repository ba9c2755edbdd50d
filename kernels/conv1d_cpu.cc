// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "kernels/conv1d.h"
#include "kernels/dispatch.h"
#include "kernels/simd/simd.h"

namespace genexx::conv1d::cpu {
namespace {

constexpr std::int64_t kSamples = 8;    // whose filter gradients one task adds up
constexpr std::int64_t kWindows = 256;  // whose input gradients are formed together

// One sample with the zeros around it: window i begins at element i stride c.
struct Padded {
  std::int64_t before, elements;  // zeros before the sample; elements in all
};

Padded padded(const Extents& e, const Placement& p) {
  return {p.padding * e.channels, ((e.windows - 1) * p.stride + e.kernel) * e.channels};
}

// The sample where its windows all lie inside it, else a copy in `room` with zeros around.
template <class T>
const T* with_zeros(const Extents& e, const Padded& p, const T* sample, T* room) {
  const std::int64_t own = e.length * e.channels;
  if (p.before == 0 && p.elements <= own) return sample;
  const std::int64_t copied = std::min(own, p.elements - p.before);
  std::fill_n(room, p.before, T{0});
  std::copy_n(sample, copied, room + p.before);
  std::fill(room + p.before + copied, room + p.elements, T{0});
  return room;
}

template <class T>
void forward_typed(CpuContext& ctx, const ForwardArgs& a, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Padded p = padded(e, a.placement);
  ScratchFrame frame(ctx);
  T* const workspaces = frame.take<T>(ctx.threads() * table.gemm_workspace_elements);
  T* const rooms = frame.take<T>(ctx.threads() * p.elements);
  ctx.parallel_on(e.replicas * e.n, [&](int thread, std::int64_t sample) {
    const std::int64_t k = sample / e.n;
    simd::GemmPart<T> part;
    part.m = e.windows;
    part.n = e.filters;
    part.k = e.window();
    part.a = with_zeros(e, p, a.x.as<T>() + sample * e.length * e.channels, rooms + thread * p.elements);
    part.a_row = a.placement.stride * e.channels;
    part.a_col = 1;
    part.b = a.weight.as<T>() + k * e.filters * e.window();
    part.b_row = 1;
    part.b_col = e.window();
    part.c = a.y.as<T>() + sample * e.windows * e.filters;
    part.ldc = e.filters;
    part.bias = a.bias ? a.bias.as<T>() + k * e.filters : nullptr;
    part.workspace = workspaces + thread * table.gemm_workspace_elements;
    table.gemm(part);
  });
}

template <class T>
void write(WriteMode mode, T& target, double value) {
  target = mode == WriteMode::accumulate ? target + static_cast<T>(value) : static_cast<T>(value);
}

// Gradients of filters and bias: the product of each sample in T, samples and positions added in double, in an order
// fixed by n.
template <class T>
void parameter_gradients(CpuContext& ctx, const BackwardArgs& a, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Padded p = padded(e, a.placement);
  const std::int64_t parts = (e.n + kSamples - 1) / kSamples, weights = a.dweight ? e.filters * e.window() : 0;
  const std::int64_t sums = weights + e.filters;  // of a part: those of the filters, then those of the bias
  ScratchFrame frame(ctx);
  double* const partial = frame.take<double>(e.replicas * parts * sums);
  T* const workspaces = frame.take<T>(ctx.threads() * table.gemm_workspace_elements);
  T* const rooms = frame.take<T>(ctx.threads() * (p.elements + weights));
  ctx.parallel_on(e.replicas * parts, [&](int thread, std::int64_t task) {
    const std::int64_t k = task / parts, begin = task % parts * kSamples, end = std::min(e.n, begin + kSamples);
    double* const sum = partial + task * sums;
    std::fill_n(sum, sums, 0.0);
    T* const room = rooms + thread * (p.elements + weights);
    T* const product = room + p.elements;
    for (std::int64_t sample = k * e.n + begin; sample < k * e.n + end; ++sample) {
      const T* dy = a.dy.as<T>() + sample * e.windows * e.filters;
      for (std::int64_t i = 0; i < e.windows; ++i)
        for (std::int64_t o = 0; o < e.filters; ++o) sum[weights + o] += static_cast<double>(dy[i * e.filters + o]);
      if (weights == 0) continue;
      simd::GemmPart<T> part;
      part.m = e.filters;
      part.n = e.window();
      part.k = e.windows;
      part.a = dy;
      part.a_row = 1;
      part.a_col = e.filters;
      part.b = with_zeros(e, p, a.x.as<T>() + sample * e.length * e.channels, room);
      part.b_row = a.placement.stride * e.channels;
      part.b_col = 1;
      part.c = product;
      part.ldc = e.window();
      part.workspace = workspaces + thread * table.gemm_workspace_elements;
      table.gemm(part);
      for (std::int64_t j = 0; j < weights; ++j) sum[j] += static_cast<double>(product[j]);
    }
  });
  ctx.parallel(e.replicas, [&](std::int64_t k) {
    for (std::int64_t j = 0; j < sums; ++j) {
      double total = 0;
      for (std::int64_t part = 0; part < parts; ++part) total += partial[(k * parts + part) * sums + j];
      if (j < weights) write(a.mode, a.dweight.as<T>()[k * weights + j], total);
      if (j >= weights && a.dbias) write(a.mode, a.dbias.as<T>()[k * e.filters + j - weights], total);
    }
  });
}

// The gradient of windows is dy times the filters; each goes to the positions it covers, windows in ascending order.
template <class T>
void input_gradient(CpuContext& ctx, const BackwardArgs& a, const Extents& e) {
  const simd::Table<T>& table = simd::table<T>(ctx.isa());
  const Padded p = padded(e, a.placement);
  const std::int64_t step = a.placement.stride * e.channels, own = e.length * e.channels;
  const std::int64_t reached = std::min(own, p.elements - p.before);
  const std::int64_t room_elements = p.elements + kWindows * e.window();
  ScratchFrame frame(ctx);
  T* const workspaces = frame.take<T>(ctx.threads() * table.gemm_workspace_elements);
  T* const rooms = frame.take<T>(ctx.threads() * room_elements);
  ctx.parallel_on(e.replicas * e.n, [&](int thread, std::int64_t sample) {
    T* const gradients = rooms + thread * room_elements;  // of kWindows windows
    T* const sum = gradients + kWindows * e.window();     // of the sample with the zeros around it
    std::fill_n(sum, p.elements, T{0});
    for (std::int64_t first = 0; first < e.windows; first += kWindows) {
      simd::GemmPart<T> part;
      part.m = std::min(kWindows, e.windows - first);
      part.n = e.window();
      part.k = e.filters;
      part.a = a.dy.as<T>() + (sample * e.windows + first) * e.filters;
      part.a_row = e.filters;
      part.a_col = 1;
      part.b = a.weight.as<T>() + sample / e.n * e.filters * e.window();
      part.b_row = e.window();
      part.b_col = 1;
      part.c = gradients;
      part.ldc = e.window();
      part.workspace = workspaces + thread * table.gemm_workspace_elements;
      table.gemm(part);
      for (std::int64_t i = 0; i < part.m; ++i) {
        T* const to = sum + (first + i) * step;
        const T* const from = gradients + i * e.window();
        for (std::int64_t j = 0; j < e.window(); ++j) to[j] += from[j];
      }
    }
    T* const dx = a.dx.as<T>() + sample * own;
    if (a.mode == WriteMode::accumulate) {
      for (std::int64_t j = 0; j < reached; ++j) dx[j] += sum[p.before + j];
    } else {
      std::copy_n(sum + p.before, reached, dx);
      std::fill(dx + reached, dx + own, T{0});
    }
  });
}

}  // namespace

void forward(CpuContext& ctx, const ForwardArgs& args, const Extents& e) {
  on_float(args.x.dtype, [&](auto zero) { forward_typed<decltype(zero)>(ctx, args, e); });
}

void backward(CpuContext& ctx, const BackwardArgs& args, const Extents& e) {
  on_float(args.dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (args.dweight || args.dbias) parameter_gradients<T>(ctx, args, e);
    if (args.dx) input_gradient<T>(ctx, args, e);
  });
}

}  // namespace genexx::conv1d::cpu

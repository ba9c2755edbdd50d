// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/pool1d.h"

namespace genexx::pool1d::cuda {
namespace {

struct Layout {
  std::int64_t samples, length, channels, windows, window;
  Kind kind;
  WriteMode mode;
};

template <class T>
__device__ inline bool is_above(T value, T largest) {
  return value > largest || value != value;
}

// The position of the largest of a window; a NaN is the largest. `x` points at the window's first value of a channel.
template <class T>
__device__ inline std::int64_t largest_of(const Layout& a, const T* x) {
  std::int64_t largest = 0;
  for (std::int64_t t = 1; t < a.window; ++t) {
    const T best = x[largest * a.channels];
    if (best == best && is_above(x[t * a.channels], best)) largest = t;
  }
  return largest;
}

// Each thread owns elements j, j + stride of the grid, ... of y. Reads each x of a window once, writes each y once.
template <class T>
__global__ void forward_kernel(Layout a, const T* __restrict__ x, T* __restrict__ y) {
  const std::int64_t count = a.samples * a.windows * a.channels;
  for (std::int64_t j = device::first_index(); j < count; j += device::index_stride()) {
    const std::int64_t row = j / a.channels, sample = row / a.windows, i = row % a.windows;
    const T* from = x + (sample * a.length + i * a.window) * a.channels + j % a.channels;
    if (a.kind == Kind::max) {
      y[j] = from[largest_of(a, from) * a.channels];
      continue;
    }
    T sum = 0;
    for (std::int64_t t = 0; t < a.window; ++t) sum += from[t * a.channels];
    y[j] = sum / T(a.window);
  }
}

// Each thread owns elements j, j + stride of the grid, ... of dx. With Kind::max every position of a window looks at
// the whole window, from cache.
template <class T>
__global__ void backward_kernel(Layout a, const T* __restrict__ x, const T* __restrict__ dy, T* __restrict__ dx) {
  const std::int64_t count = a.samples * a.length * a.channels;
  for (std::int64_t j = device::first_index(); j < count; j += device::index_stride()) {
    const std::int64_t c = j % a.channels, p = j / a.channels % a.length, sample = j / (a.channels * a.length);
    const std::int64_t i = p / a.window;
    T value = 0;
    if (i < a.windows) {
      const T reaching = dy[(sample * a.windows + i) * a.channels + c];
      const T* from = x + (sample * a.length + i * a.window) * a.channels + c;
      value = a.kind == Kind::average ? reaching / T(a.window) : largest_of(a, from) == p % a.window ? reaching : T(0);
    }
    dx[j] = a.mode == WriteMode::accumulate ? dx[j] + value : value;
  }
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& a, const Extents& e) {
  const Layout layout = {e.samples, e.length, e.channels, e.windows, a.window, a.kind, WriteMode::overwrite};
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    launch(device::elementwise_launch(a.y.shape.elements(), ctx.stream()), forward_kernel<T>, layout, a.x.as<T>(),
           a.y.as<T>());
    check_launch("pool1d::forward");
  };
  a.x.dtype == DType::f64 ? run(double{}) : run(float{});
}

void backward(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  const Layout layout = {e.samples, e.length, e.channels, e.windows, a.window, a.kind, a.mode};
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    launch(device::elementwise_launch(a.dx.shape.elements(), ctx.stream()), backward_kernel<T>, layout, a.x.as<T>(),
           a.dy.as<T>(), a.dx.as<T>());
    check_launch("pool1d::backward");
  };
  a.dx.dtype == DType::f64 ? run(double{}) : run(float{});
}

}  // namespace genexx::pool1d::cuda

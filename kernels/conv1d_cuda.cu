// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/conv1d.h"
#include "kernels/conv1d_cudnn.h"
#include "kernels/device/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/linear.h"

namespace genexx::conv1d::cuda {
namespace {

// What both kernels know of the windows.
struct Layout {
  std::int64_t samples, length, channels, windows, kernel;  // samples of all replicas
  std::int64_t stride, padding;
};

Layout layout_of(const Extents& e, const Placement& p) {
  return {e.replicas * e.n, e.length, e.channels, e.windows, e.kernel, p.stride, p.padding};
}

// windows[s, i, t, c] = x[s, i stride - padding + t, c], 0 outside the sequence. Each thread owns elements j, j +
// stride of the grid, ...; neighbours read neighbours. Writes each element once, reads x K / stride times, mostly from
// cache.
template <class T>
__global__ void windows_kernel(Layout a, const T* __restrict__ x, T* __restrict__ windows) {
  const std::int64_t window = a.kernel * a.channels, count = a.samples * a.windows * window;
  for (std::int64_t j = device::first_index(); j < count; j += device::index_stride()) {
    const std::int64_t row = j / window, within = j % window;
    const std::int64_t sample = row / a.windows, i = row % a.windows;
    const std::int64_t at = (i * a.stride - a.padding) * a.channels + within, own = a.length * a.channels;
    windows[j] = at >= 0 && at < own ? x[sample * own + at] : T(0);
  }
}

// dx[s, p, c] (+)= sum of gradients[s, i, p + padding - i stride, c] over the windows i that cover p, ascending. Each
// thread owns elements j, j + stride of the grid, ... of dx; reads each gradient once.
template <class T>
__global__ void positions_kernel(Layout a, WriteMode mode, const T* __restrict__ gradients, T* __restrict__ dx) {
  const std::int64_t own = a.length * a.channels, window = a.kernel * a.channels;
  for (std::int64_t j = device::first_index(); j < a.samples * own; j += device::index_stride()) {
    const std::int64_t sample = j / own, c = j % a.channels;
    const std::int64_t from = j % own / a.channels + a.padding;  // of the first window's begin
    // The first window that still covers the position, and the last that begins before it.
    const std::int64_t first = from < a.kernel ? 0 : (from - a.kernel) / a.stride + 1;
    const std::int64_t last = from / a.stride < a.windows ? from / a.stride : a.windows - 1;
    T sum = 0;
    for (std::int64_t i = first; i <= last; ++i)
      sum += gradients[(sample * a.windows + i) * window + (from - i * a.stride) * a.channels + c];
    dx[j] = mode == WriteMode::accumulate ? dx[j] + sum : sum;
  }
}

// The same memory as the rows of a linear layer.
template <class View>
View as_rows(const View& t, std::int64_t replicas, std::int64_t columns) {
  return {t.data, t.dtype, {replicas, t.shape.elements() / (replicas * columns), columns}};
}

Tensor take(ScratchFrame& frame, DType dtype, const Shape& shape) {
  return {frame.take_bytes(shape.elements() * size_of(dtype)), dtype, shape};
}

// [r, n m, k c]
Tensor windows_of(CudaContext& ctx, ScratchFrame& frame, const ConstTensor& x, const Extents& e, const Placement& p) {
  const Tensor windows = take(frame, x.dtype, {e.replicas, e.n * e.windows, e.window()});
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    launch(device::elementwise_launch(windows.shape.elements(), ctx.stream()), windows_kernel<T>, layout_of(e, p),
           x.as<T>(), windows.as<T>());
    check_launch("conv1d::windows");
  };
  x.dtype == DType::f64 ? run(double{}) : run(float{});
  return windows;
}

Tensor filters_of(const Tensor& weight, const Extents& e) {
  return {weight.data, weight.dtype, {e.replicas, e.filters, e.window()}};
}
ConstTensor filters_of(const ConstTensor& weight, const Extents& e) {
  return {weight.data, weight.dtype, {e.replicas, e.filters, e.window()}};
}

void input_gradient(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  ScratchFrame frame(ctx);
  const Tensor gradients = take(frame, a.dy.dtype, {e.replicas, e.n * e.windows, e.window()});
  gemm::run(ctx, {.a = as_rows(a.dy, e.replicas, e.filters), .b = filters_of(a.weight, e), .c = gradients});
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    launch(device::elementwise_launch(a.dx.shape.elements(), ctx.stream()), positions_kernel<T>,
           layout_of(e, a.placement), a.mode, gradients.as<T>(), a.dx.as<T>());
    check_launch("conv1d::positions");
  };
  a.dy.dtype == DType::f64 ? run(double{}) : run(float{});
}

void weight_gradient(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  ScratchFrame frame(ctx);
  gemm::run(ctx, {.a = as_rows(a.dy, e.replicas, e.filters),
                  .b = windows_of(ctx, frame, a.x, e, a.placement),
                  .c = filters_of(a.dweight, e),
                  .transpose_a = gemm::Transpose::yes,
                  .mode = a.mode});
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& a, const Extents& e) {
  if (forward_by_cudnn(ctx, a, e)) return;
  ScratchFrame frame(ctx);
  const Tensor windows = windows_of(ctx, frame, a.x, e, a.placement);
  gemm::run(ctx, {.a = windows,
                  .b = filters_of(a.weight, e),
                  .c = as_rows(a.y, e.replicas, e.filters),
                  .bias = a.bias,
                  .transpose_b = gemm::Transpose::yes});
}

void backward(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  if (a.dweight && !weight_gradient_by_cudnn(ctx, a, e)) weight_gradient(ctx, a, e);
  if (a.dbias)
    linear::cuda::backward(ctx, {.dy = as_rows(a.dy, e.replicas, e.filters), .dbias = a.dbias, .mode = a.mode});
  if (a.dx && !input_gradient_by_cudnn(ctx, a, e)) input_gradient(ctx, a, e);
}

}  // namespace genexx::conv1d::cuda

// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/activation.h"
#include "kernels/device/elementwise.h"

namespace genexx::activation::cuda {
namespace {

template <class T>
__device__ inline T apply(Kind kind, T x) {
  switch (kind) {
    case Kind::relu:
      return x < T(0) ? T(0) : x;
    case Kind::tanh:
      return ::tanh(x);
    case Kind::sigmoid:
      return T(1) / (T(1) + ::exp(-x));
  }
  return x;
}

template <class T>
__device__ inline T derivative(Kind kind, T y) {
  switch (kind) {
    case Kind::relu:
      return y > T(0) ? T(1) : T(0);
    case Kind::tanh:
      return T(1) - y * y;
    case Kind::sigmoid:
      return y * (T(1) - y);
  }
  return T(0);
}

// Each thread owns elements i, i + stride, ...; moves 2 elements a unit.
template <class T>
__global__ void forward_kernel(Kind kind, std::int64_t n, const T* x, T* y) {
  for (std::int64_t i = device::first_index(); i < n; i += device::index_stride()) y[i] = apply(kind, x[i]);
}

// Each thread owns elements i, i + stride, ...; moves 3 elements a unit (4 when accumulating).
template <class T>
__global__ void backward_kernel(Kind kind, WriteMode mode, std::int64_t n, const T* y, const T* dy, T* dx) {
  for (std::int64_t i = device::first_index(); i < n; i += device::index_stride()) {
    const T value = dy[i] * derivative(kind, y[i]);
    dx[i] = mode == WriteMode::accumulate ? dx[i] + value : value;
  }
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const std::int64_t n = a.x.shape.elements();
  launch(device::elementwise_launch(n, ctx.stream()), forward_kernel<T>, a.kind, n, a.x.as<T>(), a.y.as<T>());
  check_launch("activation::forward");
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  const std::int64_t n = a.y.shape.elements();
  launch(device::elementwise_launch(n, ctx.stream()), backward_kernel<T>, a.kind, a.mode, n, a.y.as<T>(), a.dy.as<T>(),
         a.dx.as<T>());
  check_launch("activation::backward");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) {
  args.x.dtype == DType::f64 ? forward_typed<double>(ctx, args) : forward_typed<float>(ctx, args);
}

void backward(CudaContext& ctx, const BackwardArgs& args) {
  args.y.dtype == DType::f64 ? backward_typed<double>(ctx, args) : backward_typed<float>(ctx, args);
}

}  // namespace genexx::activation::cuda

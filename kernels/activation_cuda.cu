// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/activation.h"
#include "kernels/device/activation_functions.h"
#include "kernels/device/elementwise.h"
#include "kernels/device/quads.h"

namespace genexx::activation::cuda {
namespace {

// Elements [4 i, 4 i + 4) of `n`, moved at once where `aligned` says so and all four are there.
struct Part {
  std::int64_t first, left;
  bool whole;
};

__device__ inline Part part_of(std::int64_t i, std::int64_t n, bool aligned) {
  return {4 * i, n - 4 * i, aligned && n - 4 * i >= 4};
}

// Each thread owns quads i, i + stride, ...; moves 2 elements a unit.
template <class T>
__global__ void forward_kernel(Kind kind, bool aligned, std::int64_t n, const T* x, T* y) {
  for (std::int64_t i = device::first_index(); 4 * i < n; i += device::index_stride()) {
    const Part p = part_of(i, n, aligned);
    device::Quad<T> q = device::load_quad(x + p.first, p.left, p.whole);
    for (int j = 0; j < 4; ++j) q.lane[j] = apply(kind, q.lane[j]);
    device::store_quad(y + p.first, p.left, p.whole, q);
  }
}

template <class T>
struct Backward {
  Kind kind;
  WriteMode mode;
  bool aligned;
  std::int64_t n;
  const T* y;
  const T* dy;  // may be dx
  T* dx;
};

// Each thread owns quads i, i + stride, ...; moves 3 elements a unit (4 when accumulating).
template <class T>
__global__ void backward_kernel(Backward<T> a) {
  for (std::int64_t i = device::first_index(); 4 * i < a.n; i += device::index_stride()) {
    const Part p = part_of(i, a.n, a.aligned);
    const device::Quad<T> y = device::load_quad(a.y + p.first, p.left, p.whole);
    device::Quad<T> q = device::load_quad(a.dy + p.first, p.left, p.whole);
    for (int j = 0; j < 4; ++j) q.lane[j] *= derivative(a.kind, y.lane[j]);
    device::write_quad(a.mode, a.dx + p.first, p.left, p.whole, q);
  }
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const std::int64_t n = a.x.shape.elements();
  const T* const x = a.x.as<T>();
  T* const y = a.y.as<T>();
  launch(device::elementwise_launch((n + 3) / 4, ctx.stream()), forward_kernel<T>, a.kind, device::on_boundary(x, y), n,
         x, y);
  check_launch("activation::forward");
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  const T* const y = a.y.as<T>();
  const T* const dy = a.dy.as<T>();
  T* const dx = a.dx.as<T>();
  const Backward<T> call = {a.kind, a.mode, device::on_boundary(y, dy, dx), a.y.shape.elements(), y, dy, dx};
  launch(device::elementwise_launch((call.n + 3) / 4, ctx.stream()), backward_kernel<T>, call);
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

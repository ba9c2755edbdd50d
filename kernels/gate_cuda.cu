// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/expect.h"
#include "kernels/gate.h"

namespace genexx::gate::cuda {
namespace {

template <class T>
__device__ inline void assign(WriteMode mode, T& target, T value) {
  target = mode == WriteMode::accumulate ? target + value : value;
}

// One replica is `count` elements; x has `x_stride` from one replica to the next. Block row y owns replica y; thread i
// of the row owns its elements i, i + stride, ... Moves 4 elements a unit.
template <class T>
__global__ void forward_kernel(std::int64_t count, std::int64_t x_stride, const T* logits, const T* __restrict__ x,
                               T* gate, T* __restrict__ y) {
  const std::int64_t k = blockIdx.y;
  for (std::int64_t i = device::first_index(); i < count; i += device::index_stride()) {
    const std::int64_t at = k * count + i;
    const T a = T(1) / (T(1) + ::exp(-logits[at]));
    gate[at] = a;
    y[at] = x[k * x_stride + i] * a;
  }
}

template <class T>
struct Backward {
  WriteMode mode;
  std::int64_t count, x_stride;
  const T* gate;
  const T* x;
  const T* dy;     // null: zero
  const T* dgate;  // null: zero
  T* dlogits;      // may be dy or dgate
  T* dx;           // null: not wanted
};

// Owns elements as forward_kernel does. Moves at most 6 elements a unit (8 when accumulating).
template <class T>
__global__ void backward_kernel(Backward<T> b) {
  const std::int64_t k = blockIdx.y;
  for (std::int64_t i = device::first_index(); i < b.count; i += device::index_stride()) {
    const std::int64_t at = k * b.count + i;
    const T a = b.gate[at];
    T reaching = b.dgate ? b.dgate[at] : T(0);
    if (b.dy) {
      const T dy = b.dy[at];
      reaching += dy * b.x[k * b.x_stride + i];
      if (b.dx) assign(b.mode, b.dx[at], dy * a);
    } else if (b.dx) {
      assign(b.mode, b.dx[at], T(0));
    }
    assign(b.mode, b.dlogits[at], reaching * a * (T(1) - a));
  }
}

LaunchConfig replica_launch(std::int64_t replicas, std::int64_t count, CUstream_st* stream) {
  LaunchConfig config = device::elementwise_launch(count, stream);
  config.grid.y = grid_extent(replicas);
  return config;
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const std::int64_t r = a.gate.shape[0], count = a.gate.shape.elements() / r;
  launch(replica_launch(r, count, ctx.stream()), forward_kernel<T>, count, replica_stride(a.x, r), a.logits.as<T>(),
         a.x.as<T>(), a.gate.as<T>(), a.y.as<T>());
  check_launch("gate::forward");
}

template <class T>
const T* optional(const ConstTensor& t) {
  return t ? t.as<T>() : nullptr;
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  const std::int64_t r = a.gate.shape[0], count = a.gate.shape.elements() / r;
  const Backward<T> call = {a.mode,
                            count,
                            replica_stride(a.x, r),
                            a.gate.as<T>(),
                            optional<T>(a.x),
                            optional<T>(a.dy),
                            optional<T>(a.dgate),
                            a.dlogits.as<T>(),
                            a.dx ? a.dx.as<T>() : nullptr};
  launch(replica_launch(r, count, ctx.stream()), backward_kernel<T>, call);
  check_launch("gate::backward");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) {
  args.gate.dtype == DType::f64 ? forward_typed<double>(ctx, args) : forward_typed<float>(ctx, args);
}

void backward(CudaContext& ctx, const BackwardArgs& args) {
  args.gate.dtype == DType::f64 ? backward_typed<double>(ctx, args) : backward_typed<float>(ctx, args);
}

}  // namespace genexx::gate::cuda

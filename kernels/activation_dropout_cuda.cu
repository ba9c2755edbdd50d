// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/activation_dropout.h"
#include "kernels/device/elementwise.h"
#include "kernels/device/finish.h"

namespace genexx::activation_dropout::cuda {
namespace {

using device::Quad;

template <class T>
struct Forward {
  std::int64_t n, c, quads;  // rows of a replica, units and groups of four units of a row
  bool whole;                // in_quads
  const T* x;                // may be y
  T* y;
  device::FinishCall finish;
};

// Thread i of grid row k owns quads i, i + stride, ... of replica k. Moves 2 elements a unit.
template <class T>
__global__ void forward_kernel(Forward<T> a) {
  wait_for_grid_ahead();
  const std::int64_t k = blockIdx.y;
  const device::UnitFinish<T> finish = device::unit_finish<T>(a.finish, k);
  for (std::int64_t i = device::first_index(); i < a.n * a.quads; i += device::index_stride()) {
    const std::int64_t row = i / a.quads, quad = i - row * a.quads;
    const std::int64_t at = (k * a.n + row) * a.c + 4 * quad, left = a.c - 4 * quad;
    device::store_quad(a.y + at, left, a.whole, finish.forward(row, quad, device::load_quad(a.x + at, left, a.whole)));
  }
}

template <class T>
struct Backward {
  std::int64_t n, c;
  bool whole;
  WriteMode mode;
  const T* y;
  const T* dy;  // may be dx
  T* dx;
  T* dbias;  // null: not wanted
  device::FinishCall finish;
};

// Block (x, k) owns columns 32 x to 32 x + 31 of replica k, a thread four of them and rows threadIdx.y, threadIdx.y +
// kQuadRows, ... Moves 3 elements a unit (4 when accumulating).
template <class T>
__global__ void backward_kernel(Backward<T> a) {
  GENEXX_SHARED(double, scratch, [device::kQuadWarps][4 * device::kQuadColumns]);
  const device::QuadPlace at = device::quad_place(a.c);
  const device::UnitFinish<T> finish = device::unit_finish<T>(a.finish, at.k);
  Quad<double> sum = {};
  if (at.inside()) {
    for (std::int64_t i = threadIdx.y; i < a.n; i += device::kQuadRows) {
      const std::int64_t first = (at.k * a.n + i) * a.c + at.column();
      const Quad<T> y = device::load_quad(a.y + first, at.left, a.whole);
      const Quad<T> dx = finish.backward(i, at.quad, y, device::load_quad(a.dy + first, at.left, a.whole));
      for (int j = 0; j < 4; ++j) sum.lane[j] += double(dx.lane[j]);
      device::write_quad(a.mode, a.dx + first, at.left, a.whole, dx);
    }
  }
  if (a.dbias == nullptr) return;
  sum = device::quad_column_sum(sum, scratch);
  if (!at.inside() || threadIdx.y != 0) return;
  const Quad<T> total = {T(sum.lane[0]), T(sum.lane[1]), T(sum.lane[2]), T(sum.lane[3])};
  device::write_quad(a.mode, a.dbias + at.k * a.c + at.column(), at.left, false, total);
}

template <class T>
void forward_typed(CudaContext& ctx, const ForwardArgs& a) {
  const std::int64_t n = a.x.shape[1], c = a.x.shape[2], quads = (c + 3) / 4;
  const T* const x = a.x.as<T>();
  T* const y = a.y.as<T>();
  const Forward<T> call = {n, c, quads, device::in_quads(c, x, y), x, y, device::finish_call(a.finish)};
  LaunchConfig config = device::elementwise_launch(n * quads, ctx.stream());
  config.grid.y = grid_extent(a.x.shape[0]);
  launch(config, forward_kernel<T>, call);
  check_launch("activation_dropout::forward");
}

template <class T>
void backward_typed(CudaContext& ctx, const BackwardArgs& a) {
  const std::int64_t n = a.y.shape[1], c = a.y.shape[2];
  const T* const y = a.y.as<T>();
  const T* const dy = a.dy.as<T>();
  T* const dx = a.dx.as<T>();
  const Backward<T> call = {n,
                            c,
                            device::in_quads(c, y, dy, dx),
                            a.mode,
                            y,
                            dy,
                            dx,
                            a.dbias ? a.dbias.as<T>() : nullptr,
                            device::finish_call(a.finish)};
  launch(device::quad_column_launch(c, a.y.shape[0], ctx.stream()), backward_kernel<T>, call);
  check_launch("activation_dropout::backward");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) {
  args.x.dtype == DType::f64 ? forward_typed<double>(ctx, args) : forward_typed<float>(ctx, args);
}

void backward(CudaContext& ctx, const BackwardArgs& args) {
  args.y.dtype == DType::f64 ? backward_typed<double>(ctx, args) : backward_typed<float>(ctx, args);
}

}  // namespace genexx::activation_dropout::cuda

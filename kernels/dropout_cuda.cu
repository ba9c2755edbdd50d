// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/device/finish.h"
#include "kernels/dropout.h"

namespace genexx::dropout::cuda {
namespace {

template <class T>
struct Call {
  std::int64_t n, c, quads;  // rows of a replica, units of a row, groups of four units of a row
  bool whole;                // in_quads
  WriteMode mode;
  const T* x;  // may be y
  T* y;
  device::FinishCall draw;
};

// Thread i of grid row k owns groups of four neighbouring units i, i + stride, ... of replica k's [n, quads]. Moves 2
// elements a unit (3 when accumulating).
template <class T>
__global__ void apply_kernel(Call<T> a) {
  wait_for_grid_ahead();
  const std::int64_t k = blockIdx.y;
  const device::UnitFinish<T> draw = device::unit_finish<T>(a.draw, k);
  for (std::int64_t i = device::first_index(); i < a.n * a.quads; i += device::index_stride()) {
    const std::int64_t row = i / a.quads, quad = i - row * a.quads;
    const std::int64_t at = (k * a.n + row) * a.c + 4 * quad, left = a.c - 4 * quad;
    device::write_quad(a.mode, a.y + at, left, a.whole,
                       draw.forward(row, quad, device::load_quad(a.x + at, left, a.whole)));
  }
}

template <class T>
void apply_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t n = a.x.shape[1], c = a.x.shape[2], quads = (c + 3) / 4;
  const T* const x = a.x.as<T>();
  T* const y = a.y.as<T>();
  activation_dropout::Finish draw;
  draw.seed = a.seed;
  draw.step = a.step;
  draw.rate = a.rate;
  draw.stream = a.stream;
  draw.first_row = a.first_row;
  draw.form = a.form;
  const Call<T> call = {n, c, quads, device::in_quads(c, x, y), a.mode, x, y, device::finish_call(draw)};
  LaunchConfig config = device::elementwise_launch(n * quads, ctx.stream());
  config.grid.y = grid_extent(a.x.shape[0]);
  launch(config, apply_kernel<T>, call);
  check_launch("dropout::apply");
}

}  // namespace

void apply(CudaContext& ctx, const Args& args) {
  args.x.dtype == DType::f64 ? apply_typed<double>(ctx, args) : apply_typed<float>(ctx, args);
}

}  // namespace genexx::dropout::cuda

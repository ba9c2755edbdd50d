// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/loss_sum.h"
#include "kernels/discriminative_loss.h"
#include "kernels/expect.h"

namespace genexx::discriminative_loss::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);  // genes of a block, one each thread
constexpr std::int64_t kRows = 16;               // rows of a block

template <class T>
struct Call {
  std::int64_t n, g, tiles;  // tiles: blocks side by side over the genes
  std::int64_t index_stride, mask_stride;
  const T* gate;
  const T* index;
  const T* mask;        // null: 1
  const double* scale;  // null: 1
  WriteMode mode;
  T* dgate;         // null: not wanted
  double* divisor;  // [r]: n M
  double* partial;  // [r, blocks]
};

// divisor[k]. Block k owns replica k; its thread t adds genes t, t + threads, ...
template <class T>
__global__ void divisor_kernel(Call<T> a) {
  GENEXX_SHARED(double, scratch, [32]);
  const std::int64_t k = blockIdx.x;
  double sum = 0;
  for (std::int64_t j = threadIdx.x; j < a.g; j += blockDim.x)
    sum += a.mask ? double(a.mask[k * a.mask_stride + j]) : 1.0;
  sum = device::block_sum(sum, scratch);
  if (threadIdx.x == 0) a.divisor[k] = sum * double(a.n);
}

// Block (x, k) owns kBlock genes (tile x % tiles) of kRows rows (chunk x / tiles) of replica k, a thread one gene.
// Moves 2 elements a unit (3 when accumulating).
template <class T>
__global__ void run_kernel(Call<T> a) {
  GENEXX_SHARED(double, scratch, [32]);
  const std::int64_t k = blockIdx.y, chunk = blockIdx.x / a.tiles, tile = blockIdx.x - chunk * a.tiles;
  const std::int64_t j = tile * kBlock + threadIdx.x, begin = chunk * kRows;
  const std::int64_t end = begin + kRows < a.n ? begin + kRows : a.n;
  double sum = 0;
  if (j < a.g) {
    const T index = a.index[k * a.index_stride + j], mask = a.mask ? a.mask[k * a.mask_stride + j] : T(1);
    const double divisor = a.divisor[k];
    const T factor = divisor == 0 ? T(0) : T(2 * (a.scale ? a.scale[k] : 1.0) / divisor);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t at = (k * a.n + i) * a.g + j;
      const T gate = a.gate[at];
      const double distance = double(gate) - double(index);
      sum += double(mask) * distance * distance;
      if (!a.dgate) continue;
      const T value = factor * mask * (gate - index);
      a.dgate[at] = a.mode == WriteMode::accumulate ? a.dgate[at] + value : value;
    }
  }
  sum = device::block_sum(sum, scratch);
  if (threadIdx.x == 0) a.partial[k * gridDim.x + blockIdx.x] = sum;
}

template <class T>
void run_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t r = a.gate.shape[0], n = a.gate.shape[1], g = a.gate.shape[2];
  const std::int64_t tiles = blocks_for(g, kBlock), parts = tiles * blocks_for(n, kRows);
  ScratchFrame frame(ctx);
  const Call<T> call = {n,
                        g,
                        tiles,
                        replica_stride(a.index, r),
                        replica_stride(a.mask, r),
                        a.gate.as<T>(),
                        a.index.as<T>(),
                        a.mask ? a.mask.as<T>() : nullptr,
                        a.scale ? a.scale.as<double>() : nullptr,
                        a.mode,
                        a.dgate ? a.dgate.as<T>() : nullptr,
                        frame.take<double>(r),
                        frame.take<double>(r * parts)};
  launch({.grid = grid_extent(r), .block = kBlock, .stream = ctx.stream()}, divisor_kernel<T>, call);
  check_launch("discriminative_loss::divisor");
  launch({.grid = dim3(grid_extent(parts), grid_extent(r)), .block = kBlock, .stream = ctx.stream()}, run_kernel<T>,
         call);
  check_launch("discriminative_loss::run");
  device::LossSum sum;
  sum.replicas = r;
  sum.parts = parts;
  sum.partial = call.partial;
  sum.factor = 1;
  sum.divisor = call.divisor;
  sum.loss = a.loss.as<double>();
  device::finish_loss(sum, ctx.stream());
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  args.gate.dtype == DType::f64 ? run_typed<double>(ctx, args) : run_typed<float>(ctx, args);
}

}  // namespace genexx::discriminative_loss::cuda

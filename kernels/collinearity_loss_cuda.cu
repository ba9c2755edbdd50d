// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/collinearity_loss.h"
#include "kernels/device/elementwise.h"
#include "kernels/device/reduce.h"

namespace genexx::collinearity_loss::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);
constexpr unsigned kWarps = kBlock / 32;  // rows of a block

constexpr std::int64_t kAloneElements = 1 << 16;  // up to so many of a replica one block does it all
constexpr unsigned kAloneBlock = block_threads(512);
constexpr unsigned kAloneWarps = kAloneBlock / 32;

template <class T>
struct Call {
  std::int64_t n, h, parts;
  double divisor;
  const T* z;
  const double* scale;  // null: 1
  WriteMode mode;
  double* loss;
  T* dz;
  double* row_sum;  // [r, n]
  double* partial;  // [r, parts]
  double* factor;   // [r], of the gradient
};

// Warp w of block (x, k) owns row x * kWarps + w of replica k; the rows of a block are added in order. Reads each z
// once.
template <class T>
__global__ void rows_kernel(Call<T> a) {
  GENEXX_SHARED(double, totals, [kWarps]);
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const std::int64_t k = blockIdx.y, i = std::int64_t{blockIdx.x} * kWarps + warp;
  double sum = 0, squares = 0;
  if (i < a.n) {
    const T* z = a.z + (k * a.n + i) * a.h;
    for (std::int64_t j = lane; j < a.h; j += 32) {
      sum += double(z[j]);
      squares += double(z[j]) * double(z[j]);
    }
  }
  sum = device::warp_sum(sum);
  squares = device::warp_sum(squares);
  if (lane == 0) totals[warp] = sum * sum - squares;
  if (lane == 0 && i < a.n) a.row_sum[k * a.n + i] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double total = 0;
  for (unsigned w = 0; w < kWarps; ++w) total += totals[w];
  a.partial[k * a.parts + blockIdx.x] = total;
}

// Writes the loss of replica k and returns the factor of its gradient.
template <class T>
__device__ inline double loss_and_factor(const Call<T>& a, std::int64_t k, double total) {
  const double sign = total > 0 ? 1 : total < 0 ? -1 : total;  // 0 stays 0, NaN stays NaN
  a.loss[k] = a.n == 0 ? 0 : ::fabs(total) / a.divisor;
  return (a.scale ? a.scale[k] : 1.0) * sign * 2 / a.divisor;
}

template <class T>
__device__ inline double loss_and_factor(const Call<T>& a, std::int64_t k, const double (&totals)[kAloneWarps]) {
  double total = 0;
  for (unsigned w = 0; w < kAloneWarps; ++w) total += totals[w];
  return loss_and_factor(a, k, total);
}

// Element i of [r, n, h].
template <class T>
__device__ inline void write_gradient(const Call<T>& a, std::int64_t i, double factor, double row_sum) {
  const T value = T(factor * (row_sum - double(a.z[i])));
  a.dz[i] = a.mode == WriteMode::accumulate ? a.dz[i] + value : value;
}

// Block k owns replica k: its loss and the factor of its gradient.
template <class T>
__global__ void finish_kernel(Call<T> a) {
  GENEXX_SHARED(double, scratch, [32]);
  const std::int64_t k = blockIdx.x;
  double total = 0;
  for (std::int64_t p = threadIdx.x; p < a.parts; p += blockDim.x) total += a.partial[k * a.parts + p];
  total = device::block_sum(total, scratch);
  if (threadIdx.x == 0) a.factor[k] = loss_and_factor(a, k, total);
}

// All of it for replicas that are small: block k owns replica k, its warp w rows w, w + kAloneWarps, ..., its thread t
// elements t, t + threads, ... of the gradient.
template <class T>
__global__ void alone_kernel(Call<T> a) {
  GENEXX_SHARED(double, totals, [kAloneWarps]);
  GENEXX_SHARED(double, shared_factor, [1]);
  const std::int64_t k = blockIdx.x;
  const unsigned warp = threadIdx.x / 32;
  const T* z = a.z + k * a.n * a.h;
  double* row_sum = a.row_sum + k * a.n;
  double total = 0;
  for (std::int64_t i = warp; i < a.n; i += kAloneWarps) {
    double sum = 0, squares = 0;
    for (std::int64_t j = threadIdx.x % 32; j < a.h; j += 32) {
      const double value = double(z[i * a.h + j]);
      sum += value;
      squares += value * value;
    }
    sum = device::warp_sum(sum);
    squares = device::warp_sum(squares);
    if (threadIdx.x % 32 == 0) row_sum[i] = sum;
    total += sum * sum - squares;
  }
  if (threadIdx.x % 32 == 0) totals[warp] = total;
  __syncthreads();
  if (threadIdx.x == 0) shared_factor[0] = loss_and_factor(a, k, totals);
  __syncthreads();
  if (a.dz == nullptr) return;
  const double factor = shared_factor[0];
  for (std::int64_t i = threadIdx.x; i < a.n * a.h; i += blockDim.x)
    write_gradient(a, k * a.n * a.h + i, factor, row_sum[i / a.h]);
}

// Each thread owns elements i, i + stride, ... of [r, n, h]. Moves 2 elements a unit (3 when accumulating).
template <class T>
__global__ void gradient_kernel(std::int64_t count, Call<T> a) {
  for (std::int64_t i = device::first_index(); i < count; i += device::index_stride()) {
    const std::int64_t row = i / a.h;
    write_gradient(a, i, a.factor[row / a.n], a.row_sum[row]);
  }
}

template <class T>
void run_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t r = a.z.shape[0], n = a.z.shape[1], h = a.z.shape[2], parts = blocks_for(n, kWarps);
  ScratchFrame frame(ctx);
  const Call<T> call = {n,
                        h,
                        parts,
                        divisor_of(a.denominator, n, h),
                        a.z.as<T>(),
                        a.scale ? a.scale.as<double>() : nullptr,
                        a.mode,
                        a.loss.as<double>(),
                        a.dz ? a.dz.as<T>() : nullptr,
                        frame.take<double>(r * n),
                        frame.take<double>(r * parts),
                        frame.take<double>(r)};
  const unsigned replicas = grid_extent(r);
  if (n * h <= kAloneElements && n <= kAloneElements) {
    launch({.grid = replicas, .block = kAloneBlock, .stream = ctx.stream()}, alone_kernel<T>, call);
    check_launch("collinearity_loss::alone");
    return;
  }
  launch({.grid = dim3(grid_extent(parts), replicas), .block = kBlock, .stream = ctx.stream()}, rows_kernel<T>, call);
  check_launch("collinearity_loss::rows");
  launch({.grid = replicas, .block = kBlock, .stream = ctx.stream()}, finish_kernel<T>, call);
  check_launch("collinearity_loss::finish");
  const std::int64_t count = a.z.shape.elements();
  if (!a.dz || count == 0) return;
  launch(device::elementwise_launch(count, ctx.stream()), gradient_kernel<T>, count, call);
  check_launch("collinearity_loss::gradient");
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  args.z.dtype == DType::f64 ? run_typed<double>(ctx, args) : run_typed<float>(ctx, args);
}

}  // namespace genexx::collinearity_loss::cuda

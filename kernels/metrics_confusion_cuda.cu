// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/argmax.h"
#include "kernels/expect.h"
#include "kernels/metrics_confusion.h"

namespace genexx::metrics_confusion::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);
constexpr unsigned kWarps = kBlock / 32;  // rows of a block

template <class T>
struct Call {
  std::int64_t n, k, label_stride;
  const T* scores;
  const std::int32_t* labels;
  std::int64_t* counts;
  std::int32_t* predicted;  // null: not wanted
};

// Warp w of block (x, k) owns row x * kWarps + w of replica k. Reads each score once.
template <class T>
__global__ void count_kernel(Call<T> a) {
  const unsigned lane = threadIdx.x % 32;
  const std::int64_t replica = blockIdx.y, i = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (i >= a.n) return;  // the whole warp
  const T* scores = a.scores + (replica * a.n + i) * a.k;
  const int predicted = device::warp_argmax(scores, a.k);
  if (lane != 0) return;
  if (a.predicted) a.predicted[replica * a.n + i] = predicted;
  const std::int32_t label = a.labels[replica * a.label_stride + i];
  if (label < 0 || label >= a.k) return;
  device::count_prediction(a.counts + replica * a.k * a.k, a.k, label, predicted);
}

// Warp w of block (x, k) owns row x * kWarps + w of replica k. Reads a score twice (once from the first-level cache).
template <class T>
__global__ void cross_entropy_kernel(Call<T> a, double* rows) {
  const unsigned lane = threadIdx.x % 32;
  const std::int64_t replica = blockIdx.y, i = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  if (i >= a.n) return;  // the whole warp
  const T* scores = a.scores + (replica * a.n + i) * a.k;
  const std::int32_t label = a.labels[replica * a.label_stride + i];
  T largest = scores[0];
  for (std::int64_t c = lane; c < a.k; c += 32) largest = scores[c] > largest ? scores[c] : largest;
  largest = device::warp_max(largest);
  double sum = 0;
  for (std::int64_t c = lane; c < a.k; c += 32) sum += ::exp(double(scores[c]) - double(largest));
  sum = device::warp_sum(sum);
  if (lane != 0) return;
  const bool counted = label >= 0 && label < a.k;
  rows[replica * a.n + i] = counted ? ::log(sum) + double(largest) - double(scores[label]) : 0.0;
}

// cross_entropy[k] += sum of rows[k, :]. Block k owns replica k; its thread t adds rows t, t + threads, ... in
// ascending order. Moves 8 bytes a row.
template <class = void>
__global__ void add_rows_kernel(std::int64_t n, const double* rows, double* cross_entropy) {
  GENEXX_SHARED(double, scratch, [32]);
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += rows[blockIdx.x * n + i];
  sum = device::block_sum(sum, scratch);
  if (threadIdx.x == 0) cross_entropy[blockIdx.x] += sum;
}

template <class T>
void add_cross_entropy(CudaContext& ctx, const Args& a, const Call<T>& call) {
  const std::int64_t r = a.scores.shape[0];
  ScratchFrame frame(ctx);
  auto* const rows = frame.take<double>(r * call.n);
  launch({.grid = dim3(blocks_for(call.n, kWarps), grid_extent(r)), .block = kBlock, .stream = ctx.stream()},
         cross_entropy_kernel<T>, call, rows);
  check_launch("metrics_confusion::cross_entropy");
  launch({.grid = grid_extent(r), .block = kBlock, .stream = ctx.stream()}, add_rows_kernel<>, call.n, rows,
         a.cross_entropy.as<double>());
  check_launch("metrics_confusion::add_rows");
}

template <class T>
void count_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t r = a.scores.shape[0];
  const Call<T> call = {a.scores.shape[1],
                        checked_int(a.scores.shape[2], "k"),
                        replica_stride(a.labels, r),
                        a.scores.as<T>(),
                        a.labels.as<std::int32_t>(),
                        a.counts.as<std::int64_t>(),
                        a.predicted ? a.predicted.as<std::int32_t>() : nullptr};
  launch({.grid = dim3(blocks_for(call.n, kWarps), grid_extent(r)), .block = kBlock, .stream = ctx.stream()},
         count_kernel<T>, call);
  check_launch("metrics_confusion::count");
  if (a.cross_entropy) add_cross_entropy(ctx, a, call);
}

}  // namespace

void count(CudaContext& ctx, const Args& args) {
  args.scores.dtype == DType::f64 ? count_typed<double>(ctx, args) : count_typed<float>(ctx, args);
}

}  // namespace genexx::metrics_confusion::cuda

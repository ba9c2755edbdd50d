// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/argmax.h"
#include "kernels/device/loss_sum.h"
#include "kernels/expect.h"
#include "kernels/softmax_cross_entropy.h"

namespace genexx::softmax_cross_entropy::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);
constexpr unsigned kWarps = kBlock / 32;  // rows of a block

constexpr std::int64_t kAloneRows = 1024;  // up to so many rows of a replica one block does it all
constexpr unsigned kAloneBlock = block_threads(512);
constexpr unsigned kAloneWarps = kAloneBlock / 32;

template <class T>
struct Call {
  std::int64_t r, n, k, label_stride;
  const T* logits;
  const std::int32_t* labels;
  const T* class_weight;   // null: 1
  const T* sample_weight;  // null: 1
  double smoothing;
  const double* scale;  // null: 1
  WriteMode mode;
  T* dlogits;            // null: not wanted
  T* probabilities;      // null: not wanted
  std::int64_t* counts;  // [r, k, k] or null
  double* loss;          // [r]
  double* total;         // [r]: W
  double* classes;       // [r]: sum of the class weights
  double* partial;       // [r, blocks]
};

// Reads of one row of one replica.
template <class T>
struct Row {
  const T* logits;
  const T* class_weight;
  double weight;  // s
  int label;      // -1: ignored
  __device__ double weight_of_class(std::int64_t c) const { return class_weight ? double(class_weight[c]) : 1.0; }
};

template <class T>
__device__ inline Row<T> row_of(const Call<T>& a, std::int64_t replica, std::int64_t i) {
  const int label = a.labels[replica * a.label_stride + i];
  return {a.logits + (replica * a.n + i) * a.k, a.class_weight ? a.class_weight + replica * a.k : nullptr,
          a.sample_weight ? double(a.sample_weight[replica * a.n + i]) : 1.0, label >= 0 && label < a.k ? label : -1};
}

// What divides: W, and the sum of the class weights.
struct Weights {
  double total, classes;
};

// Of one replica; thread 0 gets them. The block's threads add rows and classes t, t + threads, ... All threads must
// arrive.
template <class T>
__device__ inline Weights weights_of(const Call<T>& a, std::int64_t replica, double* scratch) {
  double total = 0, classes = 0;
  for (std::int64_t i = threadIdx.x; i < a.n; i += blockDim.x) {
    const Row<T> row = row_of(a, replica, i);
    if (row.label >= 0) total += row.weight * row.weight_of_class(row.label);
  }
  for (std::int64_t c = threadIdx.x; c < a.k; c += blockDim.x)
    classes += a.class_weight ? double(a.class_weight[replica * a.k + c]) : 1.0;
  total = device::block_sum(total, scratch);
  __syncthreads();
  classes = device::block_sum(classes, scratch);
  return {total, classes};
}

// total and classes. Block k owns replica k.
template <class T>
__global__ void weights_kernel(Call<T> a) {
  GENEXX_SHARED(double, scratch, [32]);
  const Weights w = weights_of(a, std::int64_t{blockIdx.x}, scratch);
  if (threadIdx.x != 0) return;
  a.total[blockIdx.x] = w.total;
  a.classes[blockIdx.x] = w.classes;
}

// What the lanes of a warp agree on about their row.
template <class T>
struct Softmax {
  T largest;
  double sum;
};

// All lanes of the warp must arrive; each gets the same.
template <class T>
__device__ inline Softmax<T> softmax_of(const T* x, std::int64_t k) {
  const unsigned lane = threadIdx.x % 32;
  T largest = x[0];
  for (std::int64_t c = lane; c < k; c += 32) largest = x[c] > largest ? x[c] : largest;
  largest = device::warp_max(largest);
  double sum = 0;
  for (std::int64_t c = lane; c < k; c += 32) sum += double(::exp(x[c] - largest));
  return {largest, device::warp_sum(sum)};
}

template <class T>
__device__ inline void write_row(const Call<T>& a, std::int64_t replica, std::int64_t i, const Row<T>& row,
                                 const Softmax<T>& s, const Weights& w) {
  const bool zero = row.label < 0 || w.total == 0;
  const double factor = zero ? 0 : (a.scale ? a.scale[replica] : 1.0) / w.total * row.weight;
  const double hard = zero ? 0 : factor * (1 - a.smoothing) * row.weight_of_class(row.label);
  const double soft = factor * a.smoothing / double(a.k);
  const std::int64_t first = (replica * a.n + i) * a.k;
  for (std::int64_t c = threadIdx.x % 32; c < a.k; c += 32) {
    const double p = double(::exp(row.logits[c] - s.largest)) / s.sum;
    if (a.probabilities) a.probabilities[first + c] = T(p);
    if (!a.dlogits) continue;
    const double towards = c == row.label ? 1 : 0;
    const T value = zero ? T(0) : T(hard * (p - towards) + soft * (p * w.classes - row.weight_of_class(c)));
    T& d = a.dlogits[first + c];
    d = a.mode == WriteMode::accumulate ? d + value : value;
  }
}

// The row's part of W * loss; every lane of the warp must arrive and gets it.
template <class T>
__device__ inline double row_loss(const Call<T>& a, const Row<T>& row, const Softmax<T>& s) {
  const double log_sum = ::log(s.sum);
  double smooth = 0;
  if (a.smoothing > 0) {
    for (std::int64_t c = threadIdx.x % 32; c < a.k; c += 32)
      smooth += row.weight_of_class(c) * (log_sum + (double(s.largest) - double(row.logits[c])));
    smooth = device::warp_sum(smooth);
  }
  if (row.label < 0) return 0;
  const double cost = log_sum + (double(s.largest) - double(row.logits[row.label]));
  return row.weight * ((1 - a.smoothing) * row.weight_of_class(row.label) * cost + a.smoothing / double(a.k) * smooth);
}

// Everything about row i: its gradient, probabilities and count are written, its part of W * loss is returned to every
// lane. All lanes of the warp must arrive.
template <class T>
__device__ inline double whole_row(const Call<T>& a, std::int64_t replica, std::int64_t i, const Weights& w) {
  const Row<T> row = row_of(a, replica, i);
  const Softmax<T> s = softmax_of(row.logits, a.k);
  write_row(a, replica, i, row, s, w);
  if (a.counts != nullptr) {
    const int predicted = device::warp_argmax(row.logits, a.k);
    if (threadIdx.x % 32 == 0 && row.label >= 0)
      device::count_prediction(a.counts + replica * a.k * a.k, a.k, row.label, predicted);
  }
  return row_loss(a, row, s);
}

// Block k owns replica k: the weights, then its warp w rows w, w + kAloneWarps, ..., then the losses of the warps,
// added in order. Reads a logit four times (three times from the first-level cache).
template <class T>
__global__ void alone_kernel(Call<T> a) {
  GENEXX_SHARED(double, scratch, [32]);
  GENEXX_SHARED(double, shared_weights, [2]);
  const std::int64_t replica = blockIdx.x;
  const unsigned warp = threadIdx.x / 32;
  const Weights mine = weights_of(a, replica, scratch);
  if (threadIdx.x == 0) {
    shared_weights[0] = mine.total;
    shared_weights[1] = mine.classes;
  }
  __syncthreads();
  const Weights w = {shared_weights[0], shared_weights[1]};
  double loss = 0;
  for (std::int64_t i = warp; i < a.n; i += kAloneWarps) loss += whole_row(a, replica, i, w);
  if (threadIdx.x % 32 == 0) scratch[warp] = loss;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double sum = 0;
  for (unsigned i = 0; i < kAloneWarps; ++i) sum += scratch[i];
  a.loss[replica] = w.total == 0 ? 0.0 : sum / w.total;
}

// Warp w of block (x, k) owns row x * kWarps + w of replica k; the losses of a block's rows are added in order. Reads a
// logit three times (twice from the first-level cache), writes what is wanted.
template <class T>
__global__ void rows_kernel(Call<T> a) {
  GENEXX_SHARED(double, losses, [kWarps]);
  const std::int64_t replica = blockIdx.y, i = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / 32;
  double loss = 0;
  if (i < a.n) loss = whole_row(a, replica, i, Weights{a.total[replica], a.classes[replica]});
  if (threadIdx.x % 32 == 0) losses[threadIdx.x / 32] = loss;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double sum = 0;
  for (unsigned w = 0; w < kWarps; ++w) sum += losses[w];
  a.partial[replica * gridDim.x + blockIdx.x] = sum;
}

template <class T>
Call<T> call_of(const Args& a) {
  const auto in = [](const ConstTensor& t) { return t ? t.as<T>() : nullptr; };
  const auto out = [](const Tensor& t) { return t ? t.as<T>() : nullptr; };
  const std::int64_t r = a.logits.shape[0];
  return {r,
          a.logits.shape[1],
          a.logits.shape[2],
          replica_stride(a.labels, r),
          a.logits.as<T>(),
          a.labels.as<std::int32_t>(),
          in(a.class_weight),
          in(a.sample_weight),
          a.label_smoothing,
          a.scale ? a.scale.as<double>() : nullptr,
          a.mode,
          out(a.dlogits),
          out(a.probabilities),
          a.counts ? a.counts.as<std::int64_t>() : nullptr,
          a.loss.as<double>(),
          nullptr,
          nullptr,
          nullptr};
}

template <class T>
void run_typed(CudaContext& ctx, const Args& args) {
  Call<T> call = call_of<T>(args);
  checked_int(call.k, "k");
  if (call.n <= kAloneRows) {
    launch({.grid = grid_extent(call.r), .block = kAloneBlock, .stream = ctx.stream()}, alone_kernel<T>, call);
    check_launch("softmax_cross_entropy::alone");
    return;
  }
  const std::int64_t blocks = blocks_for(call.n, kWarps);
  ScratchFrame frame(ctx);
  call.total = frame.take<double>(call.r);
  call.classes = frame.take<double>(call.r);
  call.partial = frame.take<double>(call.r * blocks);
  const unsigned replicas = grid_extent(call.r);
  launch({.grid = replicas, .block = kBlock, .stream = ctx.stream()}, weights_kernel<T>, call);
  check_launch("softmax_cross_entropy::weights");
  launch({.grid = dim3(grid_extent(blocks), replicas), .block = kBlock, .stream = ctx.stream()}, rows_kernel<T>, call);
  check_launch("softmax_cross_entropy::rows");
  device::LossSum sum;
  sum.replicas = call.r;
  sum.parts = blocks;
  sum.partial = call.partial;
  sum.factor = 1;
  sum.divisor = call.total;
  sum.loss = call.loss;
  device::finish_loss(sum, ctx.stream());
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  args.logits.dtype == DType::f64 ? run_typed<double>(ctx, args) : run_typed<float>(ctx, args);
}

}  // namespace genexx::softmax_cross_entropy::cuda

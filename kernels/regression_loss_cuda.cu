// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/loss_sum.h"
#include "kernels/expect.h"
#include "kernels/regression_terms.h"

namespace genexx::regression_loss::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);
constexpr std::int64_t kPart = 4096;  // elements of a block; fixes the order of summation

template <class T>
struct Call {
  std::int64_t count, target_stride;  // elements of a replica
  const T* prediction;
  const T* target;
  T delta;
  double divisor;
  const double* scale;  // null: 1
  WriteMode mode;
  T* gradient;      // null: not wanted
  double* partial;  // [r, parts]
};

// Block (x, k) owns elements x * kPart to (x + 1) * kPart of replica k, its thread t every kBlock-th from t on. Moves 3
// elements a unit (4 when accumulating).
template <class T, Kind kKind>
__global__ void run_kernel(Call<T> a) {
  GENEXX_SHARED(double, scratch, [32]);
  wait_for_grid_ahead();
  const std::int64_t k = blockIdx.y, begin = std::int64_t{blockIdx.x} * kPart;
  const std::int64_t end = begin + kPart < a.count ? begin + kPart : a.count;
  const T factor = T((a.scale ? a.scale[k] : 1.0) / a.divisor);
  double sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    const T prediction = a.prediction[k * a.count + i], target = a.target[k * a.target_stride + i];
    sum += value_of<kKind>(double(prediction) - double(target), double(a.delta));
    if (!a.gradient) continue;
    T& gradient = a.gradient[k * a.count + i];
    const T value = factor * slope_of<kKind>(prediction - target, a.delta);
    gradient = a.mode == WriteMode::accumulate ? gradient + value : value;
  }
  sum = device::block_sum(sum, scratch);
  if (threadIdx.x == 0) a.partial[k * gridDim.x + blockIdx.x] = sum;
}

template <class T, Kind kKind>
void run_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t r = a.prediction.shape[0], n = a.prediction.shape[1], c = a.prediction.shape[2];
  const double divisor = divisor_of(a.reduction, n, c);
  const std::int64_t parts = blocks_for(n * c, kPart);
  ScratchFrame frame(ctx);
  const Call<T> call = {n * c,
                        replica_stride(a.target, r),
                        a.prediction.as<T>(),
                        a.target.as<T>(),
                        static_cast<T>(a.delta),
                        divisor,
                        a.scale ? a.scale.as<double>() : nullptr,
                        a.mode,
                        a.dprediction ? a.dprediction.as<T>() : nullptr,
                        frame.take<double>(r * parts)};
  launch({.grid = dim3(grid_extent(parts), grid_extent(r)),
          .block = kBlock,
          .stream = ctx.stream(),
          .begin = ctx.stream().begin()},
         run_kernel<T, kKind>, call);
  check_launch("regression_loss::run");
  device::LossSum sum;
  sum.replicas = r;
  sum.parts = parts;
  sum.partial = call.partial;
  sum.factor = divisor == 0 ? 0 : 1 / divisor;
  sum.loss = a.loss.as<double>();
  device::finish_loss(sum, ctx.stream());
}

template <class T>
void run_kind(CudaContext& ctx, const Args& args) {
  switch (args.kind) {
    case Kind::squared:
      return run_typed<T, Kind::squared>(ctx, args);
    case Kind::absolute:
      return run_typed<T, Kind::absolute>(ctx, args);
    case Kind::huber:
      return run_typed<T, Kind::huber>(ctx, args);
  }
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  args.prediction.dtype == DType::f64 ? run_kind<double>(ctx, args) : run_kind<float>(ctx, args);
}

}  // namespace genexx::regression_loss::cuda

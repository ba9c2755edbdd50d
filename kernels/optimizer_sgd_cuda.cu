// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/launch.h"
#include "kernels/optimizer_sgd.h"

namespace genexx::optimizer_sgd::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);

template <class T>
struct Step {
  T* weight;
  T* velocity;
  const T* gradient;
  const OptimizerChunk* chunks;
  const double* lr;
  const double* weight_decay;  // null: none
  const std::int32_t* active;  // null: all
  double momentum;
};

// Block b owns chunk b; its threads take elements in turn. Moves 5 elements a unit: 3 read, 2 written.
template <class T>
__global__ void sgd_kernel(Step<T> s) {
  const OptimizerChunk chunk = s.chunks[blockIdx.x];
  if (s.active && s.active[chunk.replica] == 0) return;
  const T lr = T(s.lr[chunk.replica] * chunk.lr_scale), momentum = T(s.momentum);
  const T decay = T((s.weight_decay ? s.weight_decay[chunk.replica] : 0.0) * chunk.weight_decay_scale);
  for (int i = static_cast<int>(threadIdx.x); i < chunk.size; i += static_cast<int>(kBlock)) {
    const std::int64_t at = chunk.offset + i;
    const T w = s.weight[at], g = s.gradient[at] + decay * w;
    const T moved = momentum * s.velocity[at] - lr * g;
    s.velocity[at] = moved;
    s.weight[at] = w + moved;
  }
}

template <class T>
void run_typed(CudaContext& ctx, const Args& a) {
  const Step<T> step = {a.weight.as<T>(),
                        a.velocity.as<T>(),
                        a.gradient.as<T>(),
                        static_cast<const OptimizerChunk*>(a.chunks.data),
                        a.lr.as<double>(),
                        a.weight_decay ? a.weight_decay.as<double>() : nullptr,
                        a.active ? a.active.as<std::int32_t>() : nullptr,
                        a.momentum};
  const std::int64_t count = a.chunks.shape.elements() / static_cast<std::int64_t>(sizeof(OptimizerChunk));
  launch({.grid = grid_extent(count), .block = kBlock, .stream = ctx.stream()}, sgd_kernel<T>, step);
  check_launch("optimizer_sgd::run");
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  args.weight.dtype == DType::f64 ? run_typed<double>(ctx, args) : run_typed<float>(ctx, args);
}

}  // namespace genexx::optimizer_sgd::cuda

// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/launch.h"
#include "kernels/optimizer_adam.h"

namespace genexx::optimizer_adam::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);

// Addresses and settings of one step; by value to the kernel.
template <class T>
struct Step {
  T* weight;
  T* m;
  T* v;
  const T* gradient;
  const OptimizerChunk* chunks;
  const double* lr;
  const double* weight_decay;
  const std::int64_t* step;
  const std::int32_t* active;
  double beta1, beta2, eps;
  Decay decay;
};

// Block b owns chunk b; its threads take elements in turn. Moves 7 elements a unit: 4 read, 3 written.
template <class T>
__global__ void adam_kernel(Step<T> s) {
  const OptimizerChunk chunk = s.chunks[blockIdx.x];
  if (s.active && s.active[chunk.replica] == 0) return;
  const double t = static_cast<double>(s.step[chunk.replica] + 1);
  const double rate = s.lr[chunk.replica] * chunk.lr_scale;
  const double decay = (s.weight_decay ? s.weight_decay[chunk.replica] : 0.0) * chunk.weight_decay_scale;
  const T lr = static_cast<T>(rate);
  const T step_size = lr / static_cast<T>(1.0 - ::pow(s.beta1, t));
  const T root = ::sqrt(static_cast<T>(1.0 - ::pow(s.beta2, t)));
  const T coupled = static_cast<T>(s.decay == Decay::coupled ? decay : 0.0);
  const T keep = T(1) - lr * static_cast<T>(s.decay == Decay::decoupled ? decay : 0.0);
  const T beta1 = static_cast<T>(s.beta1), beta2 = static_cast<T>(s.beta2), eps = static_cast<T>(s.eps);
  const T rest1 = static_cast<T>(1.0 - s.beta1), rest2 = static_cast<T>(1.0 - s.beta2);
  for (int i = static_cast<int>(threadIdx.x); i < chunk.size; i += static_cast<int>(kBlock)) {
    const std::int64_t at = chunk.offset + i;
    const T w = s.weight[at];
    const T g = s.gradient[at] + coupled * w;
    const T m = beta1 * s.m[at] + rest1 * g;
    const T v = beta2 * s.v[at] + rest2 * g * g;
    s.m[at] = m;
    s.v[at] = v;
    s.weight[at] = w * keep - step_size * m / (::sqrt(v) / root + eps);
  }
}

template <class T>
void run_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t count = a.chunks.shape.elements() / static_cast<std::int64_t>(sizeof(OptimizerChunk));
  Step<T> s;
  s.weight = a.weight.as<T>();
  s.m = a.m.as<T>();
  s.v = a.v.as<T>();
  s.gradient = a.gradient.as<T>();
  s.chunks = static_cast<const OptimizerChunk*>(a.chunks.data);
  s.lr = a.lr.as<double>();
  s.weight_decay = a.weight_decay ? a.weight_decay.as<double>() : nullptr;
  s.step = a.step.as<std::int64_t>();
  s.active = a.active ? a.active.as<std::int32_t>() : nullptr;
  s.beta1 = a.beta1;
  s.beta2 = a.beta2;
  s.eps = a.eps;
  s.decay = a.decay;
  LaunchConfig config;
  config.grid = dim3(grid_extent(count));
  config.block = dim3(kBlock);
  config.stream = ctx.stream();
  launch(config, adam_kernel<T>, s);
  check_launch("optimizer_adam::run");
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  args.weight.dtype == DType::f64 ? run_typed<double>(ctx, args) : run_typed<float>(ctx, args);
}

}  // namespace genexx::optimizer_adam::cuda

// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/parameter_units.h"
#include "kernels/launch.h"
#include "kernels/optimizer_adam.h"

namespace genexx::optimizer_adam::cuda {
namespace {

constexpr unsigned kBlock = block_threads(256);

// Addresses and settings of one step; by value to the kernel.
template <class T, class Moment>
struct Step {
  T* weight;
  Moment* m;
  Moment* v;
  const T* gradient;
  const OptimizerChunk* chunks;
  const double* lr;
  const double* weight_decay;
  const std::int64_t* step;
  const std::int64_t* seed;  // read where moments are bf16
  const std::int32_t* active;
  double beta1, beta2, eps;
  Decay decay;
};

// Block b owns chunk b; its threads take runs of kUnit elements in turn. Moves 7 elements a unit, 4 read and 3 written:
// in f32 28 bytes, with bf16 moments 20.
template <class T, class Moment>
__global__ void adam_kernel(Step<T, Moment> s) {
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
  constexpr int n = device::kUnit<T>;
  const std::int64_t seed = sizeof(Moment) == 2 ? s.seed[chunk.replica] : 0, steps = s.step[chunk.replica];
  for (int i = n * static_cast<int>(threadIdx.x); i < chunk.size; i += n * static_cast<int>(kBlock)) {
    T weight[n], gradient[n], first[n], second[n];
    device::load_weights(s.weight, chunk, i, weight);
    device::load_unit(s.gradient + chunk.offset + i, chunk.size - i, gradient);
    device::load_moments(s.m, chunk, i, first);
    device::load_moments(s.v, chunk, i, second);
    for (int j = 0; j < n; ++j) {
      const T w = weight[j];
      const T g = gradient[j] + coupled * w;
      first[j] = beta1 * first[j] + rest1 * g;
      second[j] = beta2 * second[j] + rest2 * g * g;
      weight[j] = w * keep - step_size * first[j] / (::sqrt(second[j]) / root + eps);
    }
    std::uint32_t word[n] = {};
    device::draw_words<Moment>(seed, steps, chunk, i, word);
    device::store_moments(s.m, chunk, i, first, word, 0);
    device::store_moments(s.v, chunk, i, second, word, 16);
    device::store_weights(s.weight, chunk, i, weight);
  }
}

template <class T, class Moment>
void run_typed(CudaContext& ctx, const Args& a) {
  const std::int64_t count = a.chunks.shape.elements() / static_cast<std::int64_t>(sizeof(OptimizerChunk));
  Step<T, Moment> s;
  s.weight = a.weight.as<T>();
  s.m = a.m.as<Moment>();
  s.v = a.v.as<Moment>();
  s.gradient = a.gradient.as<T>();
  s.chunks = static_cast<const OptimizerChunk*>(a.chunks.data);
  s.lr = a.lr.as<double>();
  s.weight_decay = a.weight_decay ? a.weight_decay.as<double>() : nullptr;
  s.step = a.step.as<std::int64_t>();
  s.seed = a.seed ? a.seed.as<std::int64_t>() : nullptr;
  s.active = a.active ? a.active.as<std::int32_t>() : nullptr;
  s.beta1 = a.beta1;
  s.beta2 = a.beta2;
  s.eps = a.eps;
  s.decay = a.decay;
  LaunchConfig config;
  config.grid = dim3(grid_extent(count));
  config.block = dim3(kBlock);
  config.stream = ctx.stream();
  launch(config, adam_kernel<T, Moment>, s);
  check_launch("optimizer_adam::run");
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  if (args.weight.dtype == DType::f64) return run_typed<double, double>(ctx, args);
  args.m.dtype == DType::bf16 ? run_typed<float, Bfloat16>(ctx, args) : run_typed<float, float>(ctx, args);
}

}  // namespace genexx::optimizer_adam::cuda

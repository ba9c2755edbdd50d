// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/accumulate.h"
#include "kernels/device/elementwise.h"

namespace genexx::accumulate::cuda {
namespace {

// Each thread owns elements i, i + stride, ...; moves 3 elements a unit.
__global__ void accumulate_kernel(std::int64_t n, double weight, const double* __restrict__ value,
                                  double* __restrict__ sum) {
  for (std::int64_t i = device::first_index(); i < n; i += device::index_stride())
    sum[i] = __dadd_rn(sum[i], __dmul_rn(weight, value[i]));
}

struct Watched {
  std::int64_t losses, replicas;
  double weight;
  const double* value;
  double* sum;
  const std::int64_t* step;
  std::int64_t* lost_at;
  std::int32_t* active;
};

// Each thread owns replicas k, k + stride, ...: the sums of all its losses, and the watch over them.
template <class = void>
__global__ void watched_kernel(Watched a) {
  for (std::int64_t k = device::first_index(); k < a.replicas; k += device::index_stride()) {
    bool finite = true;
    for (std::int64_t i = k; i < a.losses * a.replicas; i += a.replicas) {
      const double value = a.value[i];
      finite &= value - value == 0;
      a.sum[i] = __dadd_rn(a.sum[i], __dmul_rn(a.weight, value));
    }
    if (finite || a.lost_at[k] >= 0) continue;
    a.lost_at[k] = a.step[k];
    a.active[k] = 0;
  }
}

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  if (args.watch.lost_at) {
    const Watched call = {args.value.shape[0],
                          args.value.shape[1],
                          args.weight,
                          args.value.as<double>(),
                          args.sum.as<double>(),
                          args.watch.step.as<std::int64_t>(),
                          args.watch.lost_at.as<std::int64_t>(),
                          args.watch.active.as<std::int32_t>()};
    launch(device::elementwise_launch(call.replicas, ctx.stream()), watched_kernel<>, call);
    check_launch("accumulate::watched");
    return;
  }
  const std::int64_t n = args.value.shape.elements();
  launch(device::elementwise_launch(n, ctx.stream()), accumulate_kernel, n, args.weight, args.value.as<double>(),
         args.sum.as<double>());
  check_launch("accumulate::run");
}

}  // namespace genexx::accumulate::cuda

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

}  // namespace

void run(CudaContext& ctx, const Args& args) {
  const std::int64_t n = args.value.shape.elements();
  launch(device::elementwise_launch(n, ctx.stream()), accumulate_kernel, n, args.weight, args.value.as<double>(),
         args.sum.as<double>());
  check_launch("accumulate::run");
}

}  // namespace genexx::accumulate::cuda

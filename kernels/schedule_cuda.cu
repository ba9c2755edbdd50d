// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/elementwise.h"
#include "kernels/schedule.h"

namespace genexx::schedule::cuda {
namespace {

// Each thread owns replicas i, i + stride, ...
__global__ void schedule_kernel(std::int64_t replicas, double factor, std::int64_t every,
                                const double* __restrict__ base_lr, std::int64_t* __restrict__ step,
                                double* __restrict__ lr) {
  for (std::int64_t r = device::first_index(); r < replicas; r += device::index_stride()) {
    const std::int64_t done = step[r] + 1;
    step[r] = done;
    lr[r] = base_lr[r] * ::pow(factor, static_cast<double>(done / every));
  }
}

}  // namespace

void run(CudaContext& ctx, const Args& a) {
  const std::int64_t replicas = a.step.shape.elements();
  launch(device::elementwise_launch(replicas, ctx.stream()), schedule_kernel, replicas, a.factor, a.every,
         a.base_lr.as<double>(), a.step.as<std::int64_t>(), a.lr.as<double>());
  check_launch("schedule::run");
}

}  // namespace genexx::schedule::cuda

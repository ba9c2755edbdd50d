// SPDX-License-Identifier: Apache-2.0
// The second level of a loss: partial sums of blocks become one number a replica, in an order fixed by their count.
#pragma once

#include "kernels/device/reduce.h"
#include "kernels/launch.h"

namespace genexx::device {

constexpr unsigned kLossSumBlock = block_threads(256);

struct LossSum {
  std::int64_t replicas = 0;
  std::int64_t parts = 0;           // of each replica
  const double* partial = nullptr;  // [replicas, parts]
  double factor = 1;
  const double* divisor = nullptr;  // [replicas] or null
  double* loss = nullptr;           // [replicas]
};

// loss[k] = factor * sum of partial[k, :] / divisor[k], and 0 where the divisor is 0. Block k owns replica k; its
// thread t adds parts t, t + threads, ... in ascending order. Moves 8 bytes a part.
template <class = void>
__global__ void loss_sum_kernel(LossSum a) {
  GENEXX_SHARED(double, scratch, [32]);
  wait_for_grid_ahead();
  const std::int64_t k = blockIdx.x;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < a.parts; i += blockDim.x) sum += a.partial[k * a.parts + i];
  sum = block_sum(sum, scratch);
  if (threadIdx.x != 0) return;
  const double divisor = a.divisor ? a.divisor[k] : 1.0;
  a.loss[k] = divisor == 0 ? 0.0 : a.factor * sum / divisor;
}

// Does not synchronize.
inline void finish_loss(const LossSum& sum, DeviceStream stream) {
  launch({.grid = grid_extent(sum.replicas), .block = kLossSumBlock, .stream = stream, .begin = stream.begin()},
         loss_sum_kernel<>, sum);
  check_launch("loss_sum::kernel");
}

}  // namespace genexx::device

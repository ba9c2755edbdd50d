// SPDX-License-Identifier: Apache-2.0
// Grid-stride loops: thread i of the grid owns elements i, i + stride, i + 2 stride, ...
#pragma once

#include "kernels/launch.h"

namespace genexx::device {

constexpr unsigned kElementwiseBlock = block_threads(256);
constexpr std::int64_t kElementwiseGridLimit = 1056;  // 8 blocks on each of the 132 multiprocessors of an H200

// The first element of the calling thread, when the grid ahead has ended: a kernel asks before it touches memory.
__device__ inline std::int64_t first_index() {
  wait_for_grid_ahead();
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// Threads in the grid.
__device__ inline std::int64_t index_stride() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

// A grid for `count` >= 1 elements on `stream`, of a kernel that begins with first_index.
inline LaunchConfig elementwise_launch(std::int64_t count, DeviceStream stream) {
  const std::int64_t blocks = (count + kElementwiseBlock - 1) / kElementwiseBlock;
  LaunchConfig config;
  config.grid = dim3(static_cast<unsigned>(blocks < kElementwiseGridLimit ? blocks : kElementwiseGridLimit));
  config.block = dim3(kElementwiseBlock);
  config.stream = stream;
  config.begin = stream.begin();
  return config;
}

}  // namespace genexx::device

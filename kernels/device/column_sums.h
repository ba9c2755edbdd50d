// SPDX-License-Identifier: Apache-2.0
// Sums down the columns of a row-major matrix by blocks of kColumnTile x kColumnRows threads.
#pragma once

#include "kernels/launch.h"

namespace genexx::device {

constexpr unsigned kColumnTile = 32;                                // columns of a block: one warp wide
constexpr unsigned kColumnRows = block_threads(256) / kColumnTile;  // rows added side by side

// Sum of `value` over threadIdx.y in ascending order; every thread of the column gets it. The block is kColumnTile by
// kColumnRows. `scratch` is [kColumnRows][kColumnTile] of shared memory and may be used again after the call. All
// threads must arrive.
template <class T>
__device__ inline T column_sum(T value, T (&scratch)[kColumnRows][kColumnTile]) {
  scratch[threadIdx.y][threadIdx.x] = value;
  __syncthreads();
  T sum = 0;
  for (unsigned i = 0; i < kColumnRows; ++i) sum += scratch[i][threadIdx.x];
  __syncthreads();
  return sum;
}

// One block for each kColumnTile columns of each replica: blockIdx.x is the tile, blockIdx.y the replica.
inline LaunchConfig column_launch(std::int64_t columns, std::int64_t replicas, CUstream_st* stream) {
  LaunchConfig config;
  config.grid = dim3(blocks_for(columns, kColumnTile), grid_extent(replicas));
  config.block = dim3(kColumnTile, kColumnRows);
  config.stream = stream;
  return config;
}

}  // namespace genexx::device

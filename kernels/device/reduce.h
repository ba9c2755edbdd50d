// SPDX-License-Identifier: Apache-2.0
// Sums whose order is fixed by the shape of the block, so that a result has the same bits in every run.
#pragma once

#include "kernels/launch.h"

namespace genexx::device {

constexpr unsigned kAllLanes = 0xFFFFFFFFu;

// Sum of `value` over the warp; every lane gets it. All 32 lanes must arrive together.
template <class T>
__device__ inline T warp_sum(T value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(kAllLanes, value, lanes);
  return value;
}

// Largest `value` over the warp, NaN left out; every lane gets it. All 32 lanes must arrive together.
template <class T>
__device__ inline T warp_max(T value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const T other = __shfl_xor_sync(kAllLanes, value, lanes);
    value = other > value ? other : value;
  }
  return value;
}

// Sum of `value` over a block of one dimension, a multiple of 32 threads; thread 0 gets it, the others get something.
// `scratch` is [32] of shared memory and may be used again after the next __syncthreads. All threads must arrive.
template <class T>
__device__ inline T block_sum(T value, T* scratch) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  value = warp_sum(value);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();
  if (warp == 0) value = warp_sum(lane < blockDim.x / 32 ? scratch[lane] : T(0));
  return value;
}

}  // namespace genexx::device

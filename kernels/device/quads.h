// SPDX-License-Identifier: Apache-2.0
// Four neighbouring elements of a row, moved by accesses of 16 bytes where they lie on a 16-byte boundary, and sums
// down the columns of a row-major matrix by blocks whose threads own quads.
#pragma once

#include "engine/tensor.h"
#include "kernels/launch.h"

namespace genexx::device {

template <class T>
struct alignas(16) Quad {
  T lane[4];
};

// Whether every address is a multiple of 16; null is.
template <class... T>
bool on_boundary(const T*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

// Whether all of these rows of `c` elements can be moved in whole quads.
template <class... T>
bool in_quads(std::int64_t c, const T*... pointers) {
  return c % 4 == 0 && on_boundary(pointers...);
}

// The quad at p, of which `left` elements belong to the row; zero from there. `whole`: in_quads said yes.
template <class T>
__device__ inline Quad<T> load_quad(const T* p, std::int64_t left, bool whole) {
  if (whole) return *reinterpret_cast<const Quad<T>*>(p);
  Quad<T> q = {};
  for (int j = 0; j < 4; ++j)
    if (j < left) q.lane[j] = p[j];
  return q;
}

// By intrinsics: plain stores of vector types are taken apart where a branch beside them stores the elements one by
// one.
__device__ inline void store_whole(float* p, const Quad<float>& q) {
  __stwb(reinterpret_cast<float4*>(p), make_float4(q.lane[0], q.lane[1], q.lane[2], q.lane[3]));
}
__device__ inline void store_whole(double* p, const Quad<double>& q) {
  __stwb(reinterpret_cast<double2*>(p), make_double2(q.lane[0], q.lane[1]));
  __stwb(reinterpret_cast<double2*>(p) + 1, make_double2(q.lane[2], q.lane[3]));
}

template <class T>
__device__ inline void store_quad(T* p, std::int64_t left, bool whole, const Quad<T>& q) {
  if (whole) {
    store_whole(p, q);
    return;
  }
  for (int j = 0; j < 4; ++j)
    if (j < left) p[j] = q.lane[j];
}

// p (+)= q.
template <class T>
__device__ inline void write_quad(WriteMode mode, T* p, std::int64_t left, bool whole, Quad<T> q) {
  if (mode == WriteMode::accumulate) {
    const Quad<T> before = load_quad(p, left, whole);
    for (int j = 0; j < 4; ++j) q.lane[j] = before.lane[j] + q.lane[j];
  }
  store_quad(p, left, whole, q);
}

constexpr unsigned kQuadColumns = 8;                               // quads of a block side by side: 32 columns
constexpr unsigned kQuadRows = block_threads(256) / kQuadColumns;  // rows worked on at once
constexpr unsigned kQuadWarps = kQuadRows * kQuadColumns / 32;     // a warp has four rows

using QuadScratch = double[kQuadWarps][4 * kQuadColumns];

// Sum of `value` over threadIdx.y, in an order fixed by the block's shape; every thread of the quad gets it. The block
// is kQuadColumns by kQuadRows. `scratch` is shared memory and may be used again after the call. All threads must
// arrive.
__device__ inline Quad<double> quad_column_sum(Quad<double> value, QuadScratch& scratch) {
  for (int j = 0; j < 4; ++j) {
    value.lane[j] += __shfl_xor_sync(0xFFFFFFFFu, value.lane[j], 8);
    value.lane[j] += __shfl_xor_sync(0xFFFFFFFFu, value.lane[j], 16);
  }
  if (threadIdx.y % 4 == 0)
    for (int j = 0; j < 4; ++j) scratch[threadIdx.y / 4][4 * threadIdx.x + j] = value.lane[j];
  __syncthreads();
  Quad<double> sum = {};
  for (unsigned w = 0; w < kQuadWarps; ++w)
    for (int j = 0; j < 4; ++j) sum.lane[j] += scratch[w][4 * threadIdx.x + j];
  __syncthreads();
  return sum;
}

// Where the calling thread of a column launch works: quad `quad` of replica k's rows, of which `left` columns exist
// (none of a thread that only keeps the others company), rows threadIdx.y, threadIdx.y + kQuadRows, ...
struct QuadPlace {
  std::int64_t k, quad, left;
  __device__ bool inside() const { return left > 0; }
  __device__ std::int64_t column() const { return 4 * quad; }
};

__device__ inline QuadPlace quad_place(std::int64_t c) {
  const std::int64_t quad = std::int64_t{blockIdx.x} * kQuadColumns + threadIdx.x;
  return {blockIdx.y, quad, c - 4 * quad};
}

// One block for each 32 columns of each replica: blockIdx.x is the tile, blockIdx.y the replica.
inline LaunchConfig quad_column_launch(std::int64_t columns, std::int64_t replicas, CUstream_st* stream) {
  LaunchConfig config;
  config.grid = dim3(blocks_for(columns, 4 * kQuadColumns), grid_extent(replicas));
  config.block = dim3(kQuadColumns, kQuadRows);
  config.stream = stream;
  return config;
}

}  // namespace genexx::device

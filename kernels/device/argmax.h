// SPDX-License-Identifier: Apache-2.0
// Predictions and their confusion counts in device code; see kernels/metrics_confusion.h.
#pragma once

#include "kernels/device/reduce.h"
#include "kernels/launch.h"

namespace genexx::device {

// A class and its score; class -1 stands for no number seen.
template <class T>
struct Best {
  T score;
  int c;
};

template <class T>
__device__ inline Best<T> better(const Best<T>& a, const Best<T>& b) {
  if (a.c < 0) return b;
  if (b.c < 0) return a;
  if (a.score != b.score) return a.score > b.score ? a : b;
  return a.c < b.c ? a : b;
}

// The first of the largest of k scores, NaN left out; class 0 where all are NaN. All lanes of the warp must arrive;
// each gets the same.
template <class T>
__device__ inline int warp_argmax(const T* scores, std::int64_t k) {
  Best<T> best = {T(0), -1};
  for (std::int64_t c = threadIdx.x % 32; c < k; c += 32)
    if (scores[c] == scores[c]) best = better(best, Best<T>{scores[c], static_cast<int>(c)});
  for (int lanes = 16; lanes > 0; lanes /= 2)
    best =
        better(best, Best<T>{__shfl_xor_sync(kAllLanes, best.score, lanes), __shfl_xor_sync(kAllLanes, best.c, lanes)});
  return best.c < 0 ? 0 : best.c;
}

// One row of counts [k, k] more; integers, so that the order of counting cannot matter.
__device__ inline void count_prediction(std::int64_t* counts, std::int64_t k, std::int64_t label, int predicted) {
  atomicAdd(reinterpret_cast<unsigned long long*>(counts) + label * k + predicted, 1ull);
}

}  // namespace genexx::device

// SPDX-License-Identifier: Apache-2.0
// Runs of n elements that one thread of an optimizer loads and stores, as 16-byte words where they lie so; in f32, f64,
// bf16, and weights split into two planes of 16 bits (kernels/optimizer_chunk.h). Of a run at the end of a chunk only
// the first `left` elements exist: others are not touched, loaded ones are 0.
#pragma once

#include "kernels/launch.h"
#include "kernels/moment_rounding.h"
#include "kernels/number_formats.h"
#include "kernels/optimizer_chunk.h"

namespace genexx::device {

// Elements of T in a thread's run: two 16-byte words of f32, one of bf16.
template <class T>
constexpr int kUnit = sizeof(T) == 4 ? 8 : 2;

template <class T>
__device__ inline bool is_aligned(const T* p) {
  return (reinterpret_cast<std::uintptr_t>(p) & 15u) == 0;
}

template <class T, int n>
__device__ inline void load_unit(const T* from, int left, T (&to)[n]) {
  static_assert(n * sizeof(T) % 16 == 0);
  if (left >= n && is_aligned(from)) {
    uint4 word[n * sizeof(T) / 16];
    for (int i = 0; i < static_cast<int>(n * sizeof(T) / 16); ++i) word[i] = reinterpret_cast<const uint4*>(from)[i];
    memcpy(to, word, sizeof to);
    return;
  }
  for (int i = 0; i < n; ++i) to[i] = i < left ? from[i] : T{};
}

template <class T, int n>
__device__ inline void store_unit(T* to, int left, const T (&from)[n]) {
  if (left >= n && is_aligned(to)) {
    uint4 word[n * sizeof(T) / 16];
    memcpy(word, from, sizeof word);
    for (int i = 0; i < static_cast<int>(n * sizeof(T) / 16); ++i) reinterpret_cast<uint4*>(to)[i] = word[i];
    return;
  }
  for (int i = 0; i < n; ++i)
    if (i < left) to[i] = from[i];
}

// Weights [i, i + n) of a chunk.
template <class T, int n>
__device__ inline void load_weights(const T* weight, const OptimizerChunk& chunk, int i, T (&to)[n]) {
  if constexpr (sizeof(T) == 4) {
    if (chunk.high != OptimizerChunk::kWhole) {
      const std::uint16_t* const words = reinterpret_cast<const std::uint16_t*>(weight);
      std::uint16_t high[n], low[n];
      load_unit(words + chunk.high + i, chunk.size - i, high);
      load_unit(words + chunk.low + i, chunk.size - i, low);
      for (int j = 0; j < n; ++j) to[j] = join({{high[j]}, static_cast<std::int16_t>(low[j])});
      return;
    }
  }
  load_unit(weight + chunk.offset + i, chunk.size - i, to);
}

template <class T, int n>
__device__ inline void store_weights(T* weight, const OptimizerChunk& chunk, int i, const T (&from)[n]) {
  if constexpr (sizeof(T) == 4) {
    if (chunk.high != OptimizerChunk::kWhole) {
      std::uint16_t* const words = reinterpret_cast<std::uint16_t*>(weight);
      std::uint16_t high[n], low[n];
      for (int j = 0; j < n; ++j) {
        const SplitFloat s = split_exactly(from[j]);
        high[j] = s.high.bits;
        low[j] = static_cast<std::uint16_t>(s.low);
      }
      store_unit(words + chunk.high + i, chunk.size - i, high);
      store_unit(words + chunk.low + i, chunk.size - i, low);
      return;
    }
  }
  store_unit(weight + chunk.offset + i, chunk.size - i, from);
}

// Moments [i, i + n) of a chunk in the type of the weights.
template <class T, int n>
__device__ inline void load_moments(const T* moment, const OptimizerChunk& chunk, int i, T (&to)[n]) {
  load_unit(moment + chunk.offset + i, chunk.size - i, to);
}

template <int n>
__device__ inline void load_moments(const Bfloat16* moment, const OptimizerChunk& chunk, int i, float (&to)[n]) {
  Bfloat16 stored[n];
  load_unit(moment + chunk.offset + i, chunk.size - i, stored);
  for (int j = 0; j < n; ++j) to[j] = to_float(stored[j]);
}

// The random words of elements [i, i + n); nothing is drawn for moments that are stored as they are.
template <class Moment, int n>
__device__ inline void draw_words([[maybe_unused]] std::int64_t seed, [[maybe_unused]] std::int64_t step,
                                  [[maybe_unused]] const OptimizerChunk& chunk, [[maybe_unused]] int i,
                                  [[maybe_unused]] std::uint32_t (&word)[n]) {
  if constexpr (sizeof(Moment) == 2) {
    for (int j = 0; j < n; j += 4) {
      const PhiloxCounter c = moment_words(seed, chunk.parameter, chunk.first + i + j, step);
      word[j] = c.x;
      word[j + 1] = c.y;
      word[j + 2] = c.z;
      word[j + 3] = c.w;
    }
  }
}

// `shift` says which half of a word rounds: 0 or 16.
template <class T, int n>
__device__ inline void store_moments(T* moment, const OptimizerChunk& chunk, int i, const T (&from)[n],
                                     const std::uint32_t (&)[n], int) {
  store_unit(moment + chunk.offset + i, chunk.size - i, from);
}

template <int n>
__device__ inline void store_moments(Bfloat16* moment, const OptimizerChunk& chunk, int i, const float (&from)[n],
                                     const std::uint32_t (&word)[n], int shift) {
  Bfloat16 stored[n];
  for (int j = 0; j < n; ++j) stored[j] = round_stochastically(from[j], word[j] >> shift);
  store_unit(moment + chunk.offset + i, chunk.size - i, stored);
}

}  // namespace genexx::device

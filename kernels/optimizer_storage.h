// SPDX-License-Identifier: Apache-2.0
// How the optimizers on the CPU see weights and moments that lie in narrow forms: block by block in f32.
#pragma once

#include <cstdint>

#include "engine/tensor.h"
#include "kernels/moment_rounding.h"
#include "kernels/number_formats.h"
#include "kernels/optimizer_chunk.h"

namespace genexx::optimizer_storage {

constexpr std::int64_t kBlock = 256;  // elements worked on at once; 4 divides it

inline bool is_split(const OptimizerChunk& chunk) { return chunk.high != OptimizerChunk::kWhole; }

// Elements [at, at + n) of a split chunk, and back.
inline void load_weights(const Tensor& weight, const OptimizerChunk& chunk, std::int64_t at, std::int64_t n,
                         float* to) {
  const auto* const words = static_cast<const std::uint16_t*>(weight.data);
  const std::uint16_t* const high = words + chunk.high + at;
  const std::uint16_t* const low = words + chunk.low + at;
  for (std::int64_t i = 0; i < n; ++i) to[i] = join({{high[i]}, static_cast<std::int16_t>(low[i])});
}

inline void store_weights(const Tensor& weight, const OptimizerChunk& chunk, std::int64_t at, std::int64_t n,
                          const float* from) {
  auto* const words = static_cast<std::uint16_t*>(weight.data);
  std::uint16_t* const high = words + chunk.high + at;
  std::uint16_t* const low = words + chunk.low + at;
  for (std::int64_t i = 0; i < n; ++i) {
    const SplitFloat s = split_exactly(from[i]);
    high[i] = s.high.bits;
    low[i] = static_cast<std::uint16_t>(s.low);
  }
}

inline void load_moments(const Tensor& moment, const OptimizerChunk& chunk, std::int64_t at, std::int64_t n,
                         float* to) {
  const Bfloat16* const from = moment.as<Bfloat16>() + chunk.offset + at;
  for (std::int64_t i = 0; i < n; ++i) to[i] = to_float(from[i]);
}

// Which half of an element's random word rounds it.
enum class Moment { first, second };

// The random words of a block's elements.
inline void draw_words(const OptimizerChunk& chunk, std::int64_t at, std::int64_t seed, std::int64_t step,
                       std::uint32_t (&word)[kBlock]) {
  for (std::int64_t i = 0; i < kBlock; i += 4) {
    const PhiloxCounter c = moment_words(seed, chunk.parameter, chunk.first + at + i, step);
    word[i] = c.x, word[i + 1] = c.y, word[i + 2] = c.z, word[i + 3] = c.w;
  }
}

inline void store_moments(const Tensor& moment, const OptimizerChunk& chunk, std::int64_t at, std::int64_t n,
                          const float* from, const std::uint32_t* word, Moment which) {
  Bfloat16* const to = moment.as<Bfloat16>() + chunk.offset + at;
  const int shift = which == Moment::first ? 0 : 16;
  for (std::int64_t i = 0; i < n; ++i) to[i] = round_stochastically(from[i], word[i] >> shift);
}

}  // namespace genexx::optimizer_storage

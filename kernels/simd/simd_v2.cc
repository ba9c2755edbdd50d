// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/simd.h"

#include <immintrin.h>

namespace genexx::simd::v2 {

constexpr int kVectorBytes = 16;
constexpr int kGemmRows = 4;     // rows of C a micro-kernel holds in registers
constexpr int kGemmVectors = 2;  // vectors of columns it holds

// Lanes 0, 2, 4, ... of 32 bits multiplied to 64 bits; lanes of two vectors by turns, within each 16 bytes.
using Wide = __m128i;
static inline Wide multiply_even(Wide a, Wide b) { return _mm_mul_epu32(a, b); }
static inline Wide interleave_low_32(Wide a, Wide b) { return _mm_unpacklo_epi32(a, b); }
static inline Wide interleave_high_32(Wide a, Wide b) { return _mm_unpackhi_epi32(a, b); }
static inline Wide interleave_low_64(Wide a, Wide b) { return _mm_unpacklo_epi64(a, b); }
static inline Wide interleave_high_64(Wide a, Wide b) { return _mm_unpackhi_epi64(a, b); }

// Lanes of 32 bits of the lower (upper) halves of two whole vectors by turns.
static inline Wide interleave_low_half(Wide a, Wide b) { return _mm_unpacklo_epi32(a, b); }
static inline Wide interleave_high_half(Wide a, Wide b) { return _mm_unpackhi_epi32(a, b); }

#include "kernels/simd/simd_kernels.inl"

}  // namespace genexx::simd::v2

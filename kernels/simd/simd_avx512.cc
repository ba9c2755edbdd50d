// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/simd.h"

#include <immintrin.h>

namespace genexx::simd::avx512 {

constexpr int kVectorBytes = 64;
constexpr int kGemmRows = 14;    // rows of C a micro-kernel holds in registers
constexpr int kGemmVectors = 2;  // vectors of columns it holds

// Lanes 0, 2, 4, ... of 32 bits multiplied to 64 bits; lanes of two vectors by turns, within each 16 bytes.
using Wide = __m512i;
static inline Wide multiply_even(Wide a, Wide b) { return _mm512_mul_epu32(a, b); }
static inline Wide interleave_low_32(Wide a, Wide b) { return _mm512_unpacklo_epi32(a, b); }
static inline Wide interleave_high_32(Wide a, Wide b) { return _mm512_unpackhi_epi32(a, b); }
static inline Wide interleave_low_64(Wide a, Wide b) { return _mm512_unpacklo_epi64(a, b); }
static inline Wide interleave_high_64(Wide a, Wide b) { return _mm512_unpackhi_epi64(a, b); }

// Lanes of 32 bits of the lower (upper) halves of two whole vectors by turns.
static inline Wide interleave_low_half(Wide a, Wide b) {
  const Wide order = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return _mm512_permutex2var_epi32(a, order, b);
}
static inline Wide interleave_high_half(Wide a, Wide b) {
  const Wide order = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return _mm512_permutex2var_epi32(a, order, b);
}

#include "kernels/simd/simd_kernels.inl"

}  // namespace genexx::simd::avx512

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

#include "kernels/simd/simd_kernels.inl"

}  // namespace genexx::simd::avx512

// SPDX-License-Identifier: Apache-2.0
#include "kernels/simd/simd.h"

namespace genexx::simd::v2 {

constexpr int kVectorBytes = 16;
constexpr int kGemmRows = 4;     // rows of C a micro-kernel holds in registers
constexpr int kGemmVectors = 2;  // vectors of columns it holds

#include "kernels/simd/simd_kernels.inl"

}  // namespace genexx::simd::v2

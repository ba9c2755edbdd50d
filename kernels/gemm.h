// SPDX-License-Identifier: Apache-2.0
// An op: strided-batched matrix product over the replica axis, row-major:
//   c[r] = op(a[r]) op(b[r]) + bias[r]      (WriteMode::accumulate: added to what c holds)
// On the CPU each element is summed in an order fixed by k alone (kernels/simd/simd.h), so bits depend neither on
// threads nor on r. On CUDA it is cuBLASLt with the algorithm chosen once per shape and kept for the life of the
// context. In classes of precision other than fp32 operands are first rounded or split as kernels/operand_forms.h says
// (for tf32 on CUDA by the tensor cores themselves); the CPU then forms the same products of the same numbers in f32.
// 3xTF32 is low high + high low + high high, each product added to the one before.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::gemm {

enum class Transpose { no, yes };

struct Args {
  ConstTensor a;     // [r, m, k], or [r, k, m] with transpose_a; r may be 1: the same matrix for every replica
  ConstTensor b;     // [r, k, n], or [r, n, k] with transpose_b; r may be 1 likewise
  Tensor c;          // [r, m, n]
  ConstTensor bias;  // [r, n] or absent
  Transpose transpose_a = Transpose::no;
  Transpose transpose_b = Transpose::no;
  WriteMode mode = WriteMode::overwrite;
  Precision precision = Precision::fp32;  // of products in f32; a or b may be bf16 where it is bf16
};

// The sizes of a checked call.
struct Extents {
  std::int64_t replicas, m, n, k;
  std::int64_t a_stride, b_stride;  // elements between replicas; 0 when shared
  std::int64_t a_pitch, b_pitch;    // elements between rows as stored
};

// f32 or f64. c must not overlap a, b or bias. Throws ShapeError.
void run(Context& ctx, const Args& args);

// Of checked calls: precision fp32; tf32; or bf16 with both operands bf16. c and bias are f32, in fp32 also f64.
namespace cpu {
void run(CpuContext& ctx, const Args& args, const Extents& e);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args, const Extents& e);
}

}  // namespace genexx::gemm

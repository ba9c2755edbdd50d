// SPDX-License-Identifier: Apache-2.0
// An op: strided-batched matrix product over the replica axis, row-major:
//   c[r] = op(a[r]) op(b[r]) + bias[r]      (WriteMode::accumulate: added to what c holds)
// On the CPU each element is summed in an order fixed by k alone (kernels/simd/simd.h), so bits depend neither on
// threads nor on r. On CUDA it is cuBLASLt with the algorithm chosen once per shape and kept for the life of the
// context.
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
};

// The sizes of a checked call.
struct Extents {
  std::int64_t replicas, m, n, k;
  std::int64_t a_stride, b_stride;  // elements between replicas; 0 when shared
};

// f32 or f64. c must not overlap a, b or bias. Throws ShapeError.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args, const Extents& e);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args, const Extents& e);
}

}  // namespace genexx::gemm

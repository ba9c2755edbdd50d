// SPDX-License-Identifier: Apache-2.0
// An op: linear layer (affine map) of every row.
//   forward   y = x W^T + b
//   backward  dx = dy W      dW = dy^T x      db = sum of dy over rows, added in an order fixed by n
// The products are gemm's (kernels/gemm.h), and so are their bits. W is stored as torch.nn.Linear stores it.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::linear {

struct ForwardArgs {
  ConstTensor x;       // [r, n, in], or [1, n, in]: the same rows for every replica
  ConstTensor weight;  // [r, out, in]
  ConstTensor bias;    // [r, out] or absent
  Tensor y;            // [r, n, out]
};

struct BackwardArgs {
  ConstTensor x;                          // as in forward
  ConstTensor weight;                     // [r, out, in]; not read when dx is absent
  ConstTensor dy;                         // [r, n, out]
  Tensor dx;                              // [r, n, in], also where x is shared; absent: not wanted
  Tensor dweight;                         // [r, out, in]; absent: not wanted
  Tensor dbias;                           // [r, out]; absent: no bias, or not wanted
  WriteMode mode = WriteMode::overwrite;  // of all three outputs
};

// f32 or f64. Outputs overlap no input. Both throw ShapeError naming the wrong argument; neither synchronizes.
void forward(Context& ctx, const ForwardArgs& args);
void backward(Context& ctx, const BackwardArgs& args);

// The sum over rows behind backward; the products go to gemm on either device.
namespace cpu {
void forward(CpuContext& ctx, const ForwardArgs& args);
void backward(CpuContext& ctx, const BackwardArgs& args);
}  // namespace cpu
namespace cuda {
void forward(CudaContext& ctx, const ForwardArgs& args);
void backward(CudaContext& ctx, const BackwardArgs& args);
}  // namespace cuda

}  // namespace genexx::linear

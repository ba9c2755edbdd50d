// SPDX-License-Identifier: Apache-2.0
// An op: gate, the end of a squeeze gate (linear, tanh, dropout, linear, sigmoid, multiply), elementwise.
//   forward   A = 1 / (1 + exp(-logits))      y = x A
//   backward  dlogits = (dy x + dA) A (1 - A)      dx = dy A
// dA is what reaches the gate itself, such as the gradient of discriminative_loss.
// Source: the attention of scAnnoNet, A = sigmoid(W2 drop(tanh(W1 x + b1)) + b2), input x * A.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::gate {

struct ForwardArgs {
  ConstTensor logits;  // [r, n, g], f32 or f64
  ConstTensor x;       // [r, n, g], or [1, n, g]: the same rows for every replica
  Tensor gate;         // [r, n, g]; may be logits
  Tensor y;            // [r, n, g]
};

struct BackwardArgs {
  ConstTensor gate;                       // [r, n, g], the output of forward
  ConstTensor x;                          // as in forward; not read when dy is absent
  ConstTensor dy;                         // [r, n, g]; absent: no gradient reaches y
  ConstTensor dgate;                      // [r, n, g]; absent: none reaches the gate but through y
  Tensor dlogits;                         // [r, n, g]; in overwrite mode may be dgate or dy
  Tensor dx;                              // [r, n, g], also where x is shared; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of both outputs
};

// Both throw ShapeError naming the wrong argument. Neither synchronizes.
void forward(Context& ctx, const ForwardArgs& args);
void backward(Context& ctx, const BackwardArgs& args);

namespace cpu {
void forward(CpuContext& ctx, const ForwardArgs& args);
void backward(CpuContext& ctx, const BackwardArgs& args);
}  // namespace cpu
namespace cuda {
void forward(CudaContext& ctx, const ForwardArgs& args);
void backward(CudaContext& ctx, const BackwardArgs& args);
}  // namespace cuda

}  // namespace genexx::gate

// SPDX-License-Identifier: Apache-2.0
// An op: gate, the end of a squeeze gate (linear, tanh, dropout, linear, sigmoid, multiply), elementwise.
//   forward   A = 1 / (1 + exp(-logits))      y = x A
//   backward  dlogits = (dy x + dA) A (1 - A)      dx = dy A
// dA is what reaches the gate itself, such as the gradient of discriminative_loss. A pull is that loss taken along:
// forward also gives the loss of A, and backward adds its gradient to dA, without a pass or memory of its own.
// Source: the attention of scAnnoNet, A = sigmoid(W2 drop(tanh(W1 x + b1)) + b2), input x * A.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::gate {

// The discriminative loss of the gate, of one meaning with the arguments of discriminative_loss::run; gradients have
// its bits, on the CPU the loss too.
struct Pull {
  ConstTensor index;     // [r, g], or [1, g]; absent: no pull, and nothing else is read
  ConstTensor mask;      // [r, g] or [1, g]; absent: all 1
  ConstTensor mask_sum;  // [r] f64: M; absent where there is no mask
  ConstTensor scale;     // [r] f64; absent: 1
  Tensor loss;           // [r] f64; written by forward, not read by backward
};

struct ForwardArgs {
  ConstTensor logits;  // [r, n, g], f32 or f64
  ConstTensor x;       // [r, n, g], or [1, n, g]: the same rows for every replica
  Tensor gate;         // [r, n, g]; may be logits
  Tensor y;            // [r, n, g]
  Pull pull;
};

struct BackwardArgs {
  ConstTensor gate;                       // [r, n, g], the output of forward
  ConstTensor x;                          // as in forward; not read when dy is absent
  ConstTensor dy;                         // [r, n, g]; absent: no gradient reaches y
  ConstTensor dgate;                      // [r, n, g]; absent: none reaches the gate but through y
  Tensor dlogits;                         // [r, n, g]; in overwrite mode may be dgate or dy
  Tensor dx;                              // [r, n, g], also where x is shared; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of both outputs
  Pull pull;                              // as in forward
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

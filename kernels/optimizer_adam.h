// SPDX-License-Identifier: Apache-2.0
// An op: one Adam step over all parameters of all replicas in one launch. With t = step[r] + 1, lr = lr[r] * lr_scale
// and d = weight_decay[r] * weight_decay_scale of the chunk:
//   coupled (Adam with L2)   g += d w
//   decoupled (AdamW)        w *= 1 - lr d
//   m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
//   w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
// Sources: Kingma and Ba, ICLR 2015, algorithm 1 (with the order of operations of its section 2); Loshchilov and
// Hutter, ICLR 2019, algorithm 2. The op does not advance `step`.
//
// All is computed in the type of the weights. Weights of f32 may lie split (kernels/optimizer_chunk.h): the same bits
// result. Moments beside them may be bf16, rounded at random (kernels/moment_rounding.h) when they are stored; the
// step of the weights uses them before that.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/optimizer_chunk.h"

namespace genexx {
class CudaContext;
}

namespace genexx::optimizer_adam {

enum class Decay { coupled, decoupled };

struct Args {
  Tensor weight, m, v;       // [p] f32 or f64, the flat array of all parameters and replicas; m and v also bf16
  ConstTensor gradient;      // [p]
  ConstTensor chunks;        // [count * sizeof(OptimizerChunk)] u8; elements outside every chunk are left alone
  ConstTensor lr;            // [r] f64
  ConstTensor weight_decay;  // [r] f64, or absent: none
  ConstTensor step;          // [r] i64, steps done before this one
  ConstTensor active;        // [r] i32, 0: this replica is left alone; absent: all are updated
  ConstTensor seed;          // [r] i64; needed where m and v are bf16
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  Decay decay = Decay::coupled;
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::optimizer_adam

// SPDX-License-Identifier: Apache-2.0
// An op: one step of stochastic gradient descent with momentum over all parameters of all replicas in one launch. With
// lr = lr[r] * lr_scale and d = weight_decay[r] * weight_decay_scale of the chunk:
//   g += d w       u = momentum u - lr g       w += u
// The velocity u holds the learning rate of each step (the classical form: Sutskever et al., ICML 2013, equations 1 and
// 2), so that a change of the rate does not rescale what is on its way. torch.optim.SGD keeps it without: at a constant
// rate u is -lr times PyTorch's buffer, and the weights are equal. Narrow forms of weights and velocity are as in
// kernels/optimizer_adam.h; the weights move by the velocity before it is rounded.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/optimizer_chunk.h"

namespace genexx {
class CudaContext;
}

namespace genexx::optimizer_sgd {

struct Args {
  Tensor weight, velocity;   // [p] f32 or f64, the flat array of all parameters and replicas; velocity also bf16, and
                             // zeros at first
  ConstTensor gradient;      // [p]
  ConstTensor chunks;        // [count * sizeof(OptimizerChunk)] u8; elements outside every chunk are left alone
  ConstTensor lr;            // [r] f64
  ConstTensor weight_decay;  // [r] f64, or absent: none
  ConstTensor active;        // [r] i32, 0: this replica is left alone; absent: all are updated
  ConstTensor seed, step;    // [r] i64, step: steps done before this one; needed where velocity is bf16
  double momentum = 0.9;
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::optimizer_sgd

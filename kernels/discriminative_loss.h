// SPDX-License-Identifier: Apache-2.0
// An op: discriminative loss (LDF) with its gradient, the squared distance of the gate from the genes' index.
//   loss = sum over rows i and genes j of mask[j] (gate[i, j] - index[j])^2 / (n M)      M = sum of mask
//   dgate[i, j] = scale 2 mask[j] (gate[i, j] - index[j]) / (n M)
// Masked genes (mask 0) add nothing and have gradient 0. No rows or no unmasked gene: loss 0, gradient 0.
// Source: scAnnoNet, LDF: mean over B x G of (A - index)^2.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::discriminative_loss {

struct Args {
  ConstTensor gate;   // [r, n, g], f32 or f64
  ConstTensor index;  // [r, g], or [1, g]: the same for every replica
  ConstTensor mask;   // [r, g] or [1, g], each 0 or 1, of gate's element type; absent: all 1
  ConstTensor scale;  // [r] f64: weight of this loss in the total; multiplies dgate, not loss; absent: 1
  Tensor loss;        // [r] f64
  Tensor dgate;       // [r, n, g]; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of dgate
};

// dgate overlaps no input. Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::discriminative_loss

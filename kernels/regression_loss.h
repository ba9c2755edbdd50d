// SPDX-License-Identifier: Apache-2.0
// An op: regression loss with its gradient, of d = prediction - target.
//   squared   d^2                                                     slope 2 d
//   absolute  |d|                                                     slope sign(d), 0 at d = 0
//   huber     d^2 / 2 where |d| <= delta, else delta (|d| - delta/2)  slope d, else delta sign(d)
//   loss = sum over rows and targets / D      dprediction = scale slope / D
// with D = n c (Reduction::mean) or n (Reduction::sum_over_targets_mean_over_rows). No rows or no targets: loss 0.
// Sources: torch.nn.MSELoss, L1Loss, HuberLoss; Huber, Annals of Mathematical Statistics 35 (1964), section 5.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::regression_loss {

enum class Kind { squared, absolute, huber };
enum class Reduction { mean, sum_over_targets_mean_over_rows };

struct Args {
  ConstTensor prediction;  // [r, n, c], f32 or f64
  ConstTensor target;      // [r, n, c], or [1, n, c]: the same for every replica
  Kind kind = Kind::squared;
  double delta = 1;  // > 0; huber only
  Reduction reduction = Reduction::mean;
  ConstTensor scale;   // [r] f64: weight of this loss in the total; multiplies dprediction, not loss; absent: 1
  Tensor loss;         // [r] f64
  Tensor dprediction;  // [r, n, c]; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of dprediction
};

// dprediction overlaps no input. Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args);
}

}  // namespace genexx::regression_loss

// SPDX-License-Identifier: Apache-2.0
// An op: batch normalisation over the rows of each column, with statistics of each replica.
//   y = f(gamma (x - mean) rstd + beta)     f: the identity, or the activation and dropout that end the layer
//                                          (kernels/activation_dropout.h), in the same pass over the batch
//   Statistics::batch    mean = sum(x) / n,  var = sum((x - mean)^2) / n (two passes),  rstd = 1 / sqrt(var + eps);
//                        running = (1 - momentum) running + momentum {mean, var n / (n - 1)}
//   Statistics::running  mean = running_mean,  rstd = 1 / sqrt(running_var + eps);  running statistics stay as they are
// With xhat = (x - mean) rstd, and g = dy taken back through f:
//   dbeta = sum(g)      dgamma = sum(g xhat)
//   batch    dx = gamma rstd / n (n g - dbeta - xhat dgamma)
//   running  dx = gamma rstd g
//   dbias = sum(dx), the bias gradient of a linear layer before, added as kernels/linear.h adds it
// A constant column gives y = beta and, since rstd <= 1 / sqrt(eps), finite gradients. Source: Ioffe and Szegedy, ICML
// 2015, algorithms 1 and 2; the two variances (n to normalise, n - 1 to remember) are torch.nn.BatchNorm1d's.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/activation_dropout.h"

namespace genexx {
class CudaContext;
}

namespace genexx::batch_norm {

enum class Statistics { batch, running };  // training, inference

struct ForwardArgs {
  ConstTensor x;            // [r, n, c], f32 or f64; n >= 2 with Statistics::batch
  ConstTensor gamma, beta;  // [r, c]
  Tensor running_mean;      // [r, c], read or updated
  Tensor running_var;       // [r, c], read or updated
  Tensor y;                 // [r, n, c]
  Tensor mean;              // [r, c]: the mean taken away, for backward
  Tensor rstd;              // [r, c]: the factor applied, for backward
  Statistics statistics = Statistics::batch;
  double momentum = 0.1, eps = 1e-5;
  activation_dropout::Finish finish;
};

struct BackwardArgs {
  ConstTensor x;                              // as in forward
  ConstTensor gamma;                          // [r, c]
  ConstTensor mean, rstd;                     // [r, c], from forward
  ConstTensor y;                              // [r, n, c], the output of forward; not read where it has no finish
  ConstTensor dy;                             // [r, n, c]
  Tensor dx;                                  // [r, n, c]; in overwrite mode may be dy; absent: not wanted
  Tensor dgamma, dbeta;                       // [r, c]
  Tensor dbias;                               // [r, c]; only with dx; absent: not wanted
  Statistics statistics = Statistics::batch;  // as in forward
  WriteMode mode = WriteMode::overwrite;      // of all outputs
  activation_dropout::Finish finish;          // as in forward
};

// Outputs overlap no input, but for dx, and one another. Both throw ShapeError naming the wrong argument, forward also
// for a batch of fewer than 2 rows with Statistics::batch (its variance is nothing to divide by); neither synchronizes.
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

}  // namespace genexx::batch_norm

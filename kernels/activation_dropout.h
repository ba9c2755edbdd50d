// SPDX-License-Identifier: Apache-2.0
// An op: what ends a hidden layer, an activation and then dropout, in one pass over the units; backward sums the bias
// gradient of the layer before in the pass that writes its argument.
//   a = f(x)      y[i, u] = keep(i, u) ? a[i, u] / (1 - p) : 0
//   dx[i, u] = keep(i, u) ? f'(a[i, u]) dy[i, u] / (1 - p) : 0      dbias[u] = sum over rows i of dx[i, u]
// f and f' are those of kernels/activation.h, keep and p those of kernels/dropout.h, with the same bits: nothing is
// stored but y. Backward has a = y (1 - p), which is a to one rounding (exactly where 1 - p is a power of two), and for
// relu only asks whether y > 0, which needs no mask. dbias is added as kernels/linear.h adds it.
#pragma once

#include <optional>

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/activation.h"
#include "kernels/dropout.h"

namespace genexx {
class CudaContext;
}

namespace genexx::activation_dropout {

// What is done to every unit.
struct Finish {
  std::optional<activation::Kind> activation;  // absent: a = x
  ConstTensor seed, step;                      // [r] i64, as dropout::Args
  ConstTensor rate;                            // [r] f64; absent, with seed and step: no dropout
  std::uint32_t stream = 0;
  std::int64_t first_row = 0;
  dropout::Form form = dropout::Form::unit;
};

struct ForwardArgs {
  ConstTensor x;  // [r, n, c], f32 or f64
  Tensor y;       // [r, n, c]; may be x
  Finish finish;
};

struct BackwardArgs {
  ConstTensor y;                          // [r, n, c], the output of forward
  ConstTensor dy;                         // [r, n, c]
  Tensor dx;                              // [r, n, c]; in overwrite mode may be dy
  Tensor dbias;                           // [r, c]; absent: not wanted
  Finish finish;                          // as in forward
  WriteMode mode = WriteMode::overwrite;  // of both outputs
};

// Both throw ShapeError naming the wrong argument. Neither synchronizes.
void forward(Context& ctx, const ForwardArgs& args);
void backward(Context& ctx, const BackwardArgs& args);

// Throws ShapeError naming what of `finish` does not fit r replicas: all three tensors, or none.
void expect_finish(const Finish& finish, std::int64_t r);

namespace cpu {
void forward(CpuContext& ctx, const ForwardArgs& args);
void backward(CpuContext& ctx, const BackwardArgs& args);
}  // namespace cpu
namespace cuda {
void forward(CudaContext& ctx, const ForwardArgs& args);
void backward(CudaContext& ctx, const BackwardArgs& args);
}  // namespace cuda

}  // namespace genexx::activation_dropout

// SPDX-License-Identifier: Apache-2.0
// An op: elementwise activation.
//   relu     y = x where x > 0, else 0        dx = dy where y > 0, else 0   (subgradient 0 at x = 0)
//   tanh     y = tanh(x)                      dx = dy (1 - y^2)
//   sigmoid  y = 1 / (1 + exp(-x))            dx = dy y (1 - y)
// Backward needs only the output. y may be x, and dx may be dy.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::activation {

enum class Kind { relu, tanh, sigmoid };

struct ForwardArgs {
  Kind kind = Kind::relu;
  ConstTensor x;  // any shape, f32 or f64
  Tensor y;       // the shape of x
};

struct BackwardArgs {
  Kind kind = Kind::relu;
  ConstTensor y;   // the output of forward
  ConstTensor dy;  // the shape of y
  Tensor dx;       // the shape of y
  WriteMode mode = WriteMode::overwrite;
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

}  // namespace genexx::activation

// SPDX-License-Identifier: Apache-2.0
// The parts of a linear layer: its matrix products, the same calls on every device, and the sum of its bias gradient.
#pragma once

#include "kernels/gemm.h"
#include "kernels/linear.h"

namespace genexx::linear {

inline void forward_product(Context& ctx, const ForwardArgs& a) {
  gemm::run(ctx, {.a = a.x,
                  .b = a.weight,
                  .c = a.y,
                  .bias = a.bias,
                  .transpose_b = gemm::Transpose::yes,
                  .precision = ctx.precision});
}

inline void backward_products(Context& ctx, const BackwardArgs& a) {
  if (a.dweight)
    gemm::run(ctx, {.a = a.dy,
                    .b = a.x,
                    .c = a.dweight,
                    .transpose_a = gemm::Transpose::yes,
                    .mode = a.mode,
                    .precision = ctx.precision});
  if (a.dx) gemm::run(ctx, {.a = a.dy, .b = a.weight, .c = a.dx, .mode = a.mode, .precision = ctx.precision});
}

namespace cpu {
// Writes dbias from dy as `mode` says; reads nothing else of the arguments.
void bias_gradient(CpuContext& ctx, const BackwardArgs& a);
}  // namespace cpu

}  // namespace genexx::linear

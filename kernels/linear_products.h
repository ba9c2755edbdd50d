// SPDX-License-Identifier: Apache-2.0
// The matrix products of a linear layer, the same calls on every device.
#pragma once

#include "kernels/gemm.h"
#include "kernels/linear.h"

namespace genexx::linear {

inline void forward_product(Context& ctx, const ForwardArgs& a) {
  gemm::run(ctx, {.a = a.x, .b = a.weight, .c = a.y, .bias = a.bias, .transpose_b = gemm::Transpose::yes});
}

inline void backward_products(Context& ctx, const BackwardArgs& a) {
  if (a.dweight)
    gemm::run(ctx, {.a = a.dy, .b = a.x, .c = a.dweight, .transpose_a = gemm::Transpose::yes, .mode = a.mode});
  if (a.dx) gemm::run(ctx, {.a = a.dy, .b = a.weight, .c = a.dx, .mode = a.mode});
}

}  // namespace genexx::linear

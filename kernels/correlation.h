// SPDX-License-Identifier: Apache-2.0
// An op: Pearson correlation over cells of one set of genes with another:
//   out[k,i,j] = sum over rows of u_i v_j,   u_i = (x_i - mean_i) * rnorm_i,  v_j likewise,   limited to [-1, 1]
//   x = T(value * row_factor), as in ingest;  rnorm = 1 / sqrt(sum over rows of (x - mean)^2), 0 for a constant gene,
// which then correlates with nothing (0). Mean and norm are the caller's (gene_stats), so that they are found once.
// Rows are standardised in blocks, a size fixed by shapes alone, and multiplied: O(n ga gb), memory for one block.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"

namespace genexx {
class CudaContext;
}

namespace genexx::correlation {

// Genes on one side of the table. A column may be on both sides.
struct Side {
  ConstTensor gene_of_column;  // [cols] i32: which gene of this side a column is, -1 for none; one column each
  ConstTensor mean;            // [r or 1, g] of out's type
  ConstTensor rnorm;           // [r or 1, g] of out's type
};

struct Args {
  ExpressionData data;
  ConstTensor rows;        // [r or 1, n] i64 in [-1, N); -1 is passed over
  ConstTensor row_factor;  // [r or 1, N] f32 or absent
  ValueTransform transform = ValueTransform::none;
  Side a, b;
  Tensor out;  // [r, ga, gb] f64 or f32
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

// Limits every element of `x` (any shape, f32 or f64) to [-1, 1], in place: rounding takes a correlation past its ends.
namespace cpu {
void limit(CpuContext& ctx, const Tensor& x);
}
namespace cuda {
void limit(CudaContext& ctx, const Tensor& x);
}

}  // namespace genexx::correlation

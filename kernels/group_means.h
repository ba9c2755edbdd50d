// SPDX-License-Identifier: Apache-2.0
// An op: the mean of each column over the selected cells of each group, and how far cells are from their group's mean:
//   x[k,i,j]      = T(value * row_factor[k,cell]),  cell = rows[k,i]        T(x) = x, ln(1 + x) or exp(x) - 1
//   mean[k,c,j]   = sum of x over the m rows whose cell is in group c, / m          (0 where m = 0)
//   within[k,j]   = sum over groups c and their rows of (x - mean[k,c,j])^2         (within-class scatter)
// Entries that are not stored count as 0 (T(0) = 0). Accumulated in double, rows in the order of `rows`, groups
// ascending.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"

namespace genexx {
class CudaContext;
}

namespace genexx::group_means {

struct Args {
  ExpressionData data;
  ConstTensor rows;        // [r, n] i64 in [-1, N); -1 is passed over
  ConstTensor row_factor;  // [r or 1, N] f32 or absent
  ValueTransform transform = ValueTransform::none;
  ConstTensor group_of_cell;  // [N] i32; cells outside [0, groups) are in none
  Tensor mean;                // [r, groups, cols] f64
  Tensor count;               // [r, groups] i64: rows in each group; or absent
  Tensor within;              // [r, cols] f64 or absent
};

// The sizes of a checked call.
struct Extents {
  std::int64_t replicas, n, groups;
  std::int64_t row_factor_stride;  // 0 when shared
};

// Throws ShapeError naming the wrong argument. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args, const Extents& e);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args, const Extents& e);
}

}  // namespace genexx::group_means

// SPDX-License-Identifier: Apache-2.0
// An op: statistics of each column over the selected cells of each replica:
//   x[k,i,j] = T(value * row_factor[k,cell]),  cell = rows[k,i]        T(x) = x, ln(1 + x) or exp(x) - 1
//   sum, mean = sum / m, variance = sum of (x - mean)^2 / (m - ddof), min, max, nnz = number of x != 0
// over the m rows of replica k that are not -1; entries that are not stored count as 0 (T(0) = 0).
// Everything is accumulated in double and in an order fixed by shapes alone; the variance is two-pass. On the CPU rows
// are added in the order of `rows`; on CUDA in runs of rows, then run by run.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"

namespace genexx {
class CudaContext;
}

namespace genexx::gene_stats {

struct Args {
  ExpressionData data;
  ConstTensor rows;        // [r, n] i64 in [-1, N); -1 is passed over
  ConstTensor row_factor;  // [r or 1, N] f32 or absent
  ValueTransform transform = ValueTransform::none;
  int ddof = 1;  // variance divides by m - ddof; it is 0 where m <= ddof
  // Outputs, each [r, cols] or absent. Where m = 0 all are 0.
  Tensor sum, mean, variance, min, max;  // f64
  Tensor nnz;                            // i64
};

// The sizes of a checked call.
struct Extents {
  std::int64_t replicas, n, cells;
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

}  // namespace genexx::gene_stats

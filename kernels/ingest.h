// SPDX-License-Identifier: Apache-2.0
// An op: gathers rows of the data set, applies a fitted recipe and writes the dense batch:
//   out[k,i,j] = clip((T(value * row_factor) - shift[k,j]) * factor[k,j])     T(x) = x, ln(1 + x) or exp(x) - 1
// where value is the entry of row rows[k,i] in the column that gene_of_column maps to gene j; 0 where the row stores
// none or no column maps to j. Every element of `out` is written. Library size, log1p and z-score (shift = mean, factor
// = 1 / standard deviation) are the steps of scAnnoNet's gene matrix; min-max scaling is shift = min, factor = 1 / (max
// - min).
#pragma once

#include <cstdint>

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"

namespace genexx {
class CudaContext;
}

namespace genexx::ingest {

using Transform = ValueTransform;
using Data = ExpressionData;  // N cells by `cols` columns

struct Args {
  Data data;
  ConstTensor rows;            // [r or 1, n] i64 in [-1, N): which cells; -1 makes a padding row, all exactly 0
  ConstTensor gene_of_column;  // [cols] i32: the gene a column becomes, -1 for none; absent: column j is gene j.
                               // No two columns may map to one gene: readers sum duplicates before any transform
  ConstTensor row_factor;      // [r or 1, N] f32: library-size factor of each cell, or absent
  Transform transform = Transform::none;
  ConstTensor shift;   // [r or 1, g] of out's type, or absent (0)
  ConstTensor factor;  // [r or 1, g] of out's type, or absent (1); 0 masks a gene: its output is exactly 0
  double clip = 0;     // values are limited to [-clip, clip]; 0 for no limit
  Tensor out;          // [r, n, g] f32 or f64
};

// The sizes of a checked call. Strides are elements between replicas, 0 where a tensor is shared.
struct Extents {
  std::int64_t replicas, n, genes;
  std::int64_t rows_stride, row_factor_stride, shift_stride, factor_stride;
};

// Throws ShapeError naming the wrong argument. Contents of `rows`, `column` and `gene_of_column` are the caller's to
// check: they live on the device. Does not synchronize.
void run(Context& ctx, const Args& args);

namespace cpu {
void run(CpuContext& ctx, const Args& args, const Extents& e);
}
namespace cuda {
void run(CudaContext& ctx, const Args& args, const Extents& e);
}

}  // namespace genexx::ingest

// SPDX-License-Identifier: Apache-2.0
// An op: linear layer whose input is rows of the data set as they are stored, scaled gene by gene:
//   x[k,i,j] = (value - shift[k,j]) * factor[k,j]     value: that of row rows[k,i] in column j, 0 where none is stored;
//                                                     a padding row (-1), and a gene of factor 0, are exactly 0
//   forward    y = x W^T + b
//   backward   dW = dy^T x      db = sum of dy over rows
// This x is what ingest writes (kernels/ingest.h). On the CPU it is never made: with v = value factor where something
// is stored and z = -shift factor,
//   y = sum over stored v W + (z W^T + b)         dW = sum over stored v dy + (sum of dy over rows that are no padding)
//   z
// so that work is that of the stored values and, only where a shift is not 0, of one row more. Each element is summed
// by rising gene, or row, whatever the threads. On CUDA dense products are faster (tensor cores): there it is ingest
// and linear.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"

namespace genexx {
class CudaContext;
}

namespace genexx::sparse_linear {

struct Input {
  ExpressionData data;  // CSR, N cells by g genes, finite values
  ConstTensor rows;     // [r or 1, n] i64 in [-1, N)
  ConstTensor shift;    // [r or 1, g] of the weight's type, or absent (0)
  ConstTensor factor;   // [r or 1, g] of the weight's type, or absent (1)
};

struct ForwardArgs {
  Input x;
  ConstTensor weight;  // [r, out, g], f32 or f64
  ConstTensor bias;    // [r, out] or absent
  Tensor y;            // [r, n, out]
};

struct BackwardArgs {
  Input x;
  ConstTensor dy;                         // [r, n, out]
  Tensor dweight;                         // [r, out, g]; absent: not wanted
  Tensor dbias;                           // [r, out]; absent: not wanted
  WriteMode mode = WriteMode::overwrite;  // of both outputs
};

// The sizes of a checked call. Strides are elements between replicas, 0 where a tensor is shared.
struct Extents {
  std::int64_t replicas, n, genes, out;
  std::int64_t rows_stride, shift_stride, factor_stride;
};

// Outputs overlap no input. Both throw ShapeError naming the wrong argument; what `rows` and the columns hold is the
// caller's to check. Neither synchronizes.
void forward(Context& ctx, const ForwardArgs& args);
void backward(Context& ctx, const BackwardArgs& args);

namespace cpu {
void forward(CpuContext& ctx, const ForwardArgs& args, const Extents& e);
void backward(CpuContext& ctx, const BackwardArgs& args, const Extents& e);
}  // namespace cpu
namespace cuda {
void forward(CudaContext& ctx, const ForwardArgs& args, const Extents& e);
void backward(CudaContext& ctx, const BackwardArgs& args, const Extents& e);
}  // namespace cuda

}  // namespace genexx::sparse_linear

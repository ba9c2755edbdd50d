// SPDX-License-Identifier: Apache-2.0
// An op: pooling along a sequence, channels last: neighbouring positions become one, windows of P positions side by
// side.
//   Kind::max      y[i,c] = largest of x[i P + t, c] over t < P; dx of the first of the largest is dy, of the others 0
//   Kind::average  y[i,c] = sum over t < P of x[i P + t, c] / P; dx[i P + t, c] = dy[i,c] / P
// Positions behind the last whole window are left out: their gradient is 0. A window with a NaN gives NaN. As
// torch.nn.MaxPool1d and AvgPool1d with kernel and stride P, axes turned to [n, l, c].
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::pool1d {

enum class Kind { max, average };

struct ForwardArgs {
  ConstTensor x;  // [r, n, l, c], f32 or f64
  Tensor y;       // [r, n, l / window, c]
  std::int64_t window = 1;
  Kind kind = Kind::max;
};

struct BackwardArgs {
  ConstTensor x;   // as in forward; not read with Kind::average
  ConstTensor dy;  // [r, n, l / window, c]
  Tensor dx;       // [r, n, l, c]
  std::int64_t window = 1;
  Kind kind = Kind::max;
  WriteMode mode = WriteMode::overwrite;
};

// The sizes of a checked call.
struct Extents {
  std::int64_t samples, length, channels, windows;  // samples of all replicas
};

// Outputs overlap no input. Both throw ShapeError naming the wrong argument; neither synchronizes.
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

}  // namespace genexx::pool1d

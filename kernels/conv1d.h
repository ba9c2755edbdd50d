// SPDX-License-Identifier: Apache-2.0
// An op: convolution along a sequence, channels last, of each replica with its own filters.
//   forward   y[b,i,o] = bias[o] + sum over t < K, c < C of x[b, i stride - padding + t, c] weight[o,t,c]
//   backward  dx[b,p,c]      = sum over i, o of dy[b,i,o] weight[o, p + padding - i stride, c]
//             dweight[o,t,c] = sum over b, i of dy[b,i,o] x[b, i stride - padding + t, c]
//             dbias[o]       = sum over b, i of dy[b,i,o]
// x counts as 0 outside the sequence. torch.nn.Conv1d's cross-correlation with axes [n, c, l] turned to [n, l, c]: so a
// window is one run of K C numbers, a product with all filters needs no copy of it, and the channels of y are columns,
// as batch_norm takes them. On the CPU the products are gemm's on overlapping rows; on CUDA they are cuDNN's where it
// is installed and knows the case (conv1d_cudnn.h), else the windows are written out (n m K C elements of scratch) and
// the products are gemm's, in f32 whatever the context's precision.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace genexx {
class CudaContext;
}

namespace genexx::conv1d {

// Where the windows lie. Their number is y's.
struct Placement {
  std::int64_t stride = 1;   // positions from one window to the next, at least 1
  std::int64_t padding = 0;  // positions of the first window before the sequence, 0 to K - 1
};

// Windows that lie wholly inside `length` positions: (length - kernel) / stride + 1, or 0.
std::int64_t windows_inside(std::int64_t length, std::int64_t kernel, std::int64_t stride);

// Windows at every stride, with zeros around the sequence shared out evenly (the odd one behind it): ceil(length /
// stride) of them, from `padding` before the sequence on. Source: the "SAME" rule of TensorFlow; with stride 1
// PyTorch's "same".
struct Centred {
  std::int64_t windows, padding;
};
Centred windows_centred(std::int64_t length, std::int64_t kernel, std::int64_t stride);

struct ForwardArgs {
  ConstTensor x;       // [r, n, l, c], f32 or f64
  ConstTensor weight;  // [r, o, k, c]
  ConstTensor bias;    // [r, o] or absent
  Tensor y;            // [r, n, m, o]; window m - 1 begins inside the sequence
  Placement placement;
};

struct BackwardArgs {
  ConstTensor x;       // as in forward; not read when dweight is absent
  ConstTensor weight;  // as in forward; not read when dx is absent
  ConstTensor dy;      // [r, n, m, o]
  Tensor dx;           // [r, n, l, c]; absent: not wanted
  Tensor dweight;      // [r, o, k, c]; absent: not wanted
  Tensor dbias;        // [r, o]; absent: no bias, or not wanted
  Placement placement;
  WriteMode mode = WriteMode::overwrite;  // of all three outputs
};

// The sizes of a checked call.
struct Extents {
  std::int64_t replicas, n, length, channels, windows, filters, kernel;
  std::int64_t window() const { return kernel * channels; }  // elements
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

}  // namespace genexx::conv1d

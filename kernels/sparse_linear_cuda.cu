// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/ingest.h"
#include "kernels/linear.h"
#include "kernels/sparse_linear.h"

namespace genexx::sparse_linear::cuda {
namespace {

// The batch made dense, in memory of the frame.
Tensor dense_batch(CudaContext& ctx, ScratchFrame& frame, const Input& x, const Extents& e, DType dtype) {
  const Tensor batch = {
      frame.take_bytes(e.replicas * e.n * e.genes * size_of(dtype)), dtype, {e.replicas, e.n, e.genes}};
  ingest::run(ctx, {.data = x.data, .rows = x.rows, .shift = x.shift, .factor = x.factor, .out = batch});
  return batch;
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& a, const Extents& e) {
  ScratchFrame frame(ctx);
  linear::forward(ctx, {.x = dense_batch(ctx, frame, a.x, e, a.y.dtype), .weight = a.weight, .bias = a.bias, .y = a.y});
}

void backward(CudaContext& ctx, const BackwardArgs& a, const Extents& e) {
  ScratchFrame frame(ctx);
  linear::BackwardArgs args = {.dy = a.dy, .dweight = a.dweight, .dbias = a.dbias, .mode = a.mode};
  args.x = dense_batch(ctx, frame, a.x, e, a.dy.dtype);
  // Only the shape of the weight is read where the input's gradient is not wanted.
  args.weight = {a.dweight ? a.dweight.data : args.x.data, a.dy.dtype, {e.replicas, e.out, e.genes}};
  linear::backward(ctx, args);
}

}  // namespace genexx::sparse_linear::cuda

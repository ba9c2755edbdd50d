// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/quads.h"
#include "kernels/linear_products.h"

namespace genexx::linear::cuda {
namespace {

// db[k, j] = sum of dy[k, :, j]. Block (x, k) owns columns 32 x to 32 x + 31 of replica k; a thread adds four columns
// of rows threadIdx.y, threadIdx.y + kQuadRows, ... in double, then the block's sums are added in order. Reads each dy
// once.
template <class T>
__global__ void bias_kernel(WriteMode mode, bool whole, std::int64_t n, std::int64_t out, const T* __restrict__ dy,
                            T* __restrict__ db) {
  GENEXX_SHARED(double, scratch, [device::kQuadWarps][4 * device::kQuadColumns]);
  const device::QuadPlace at = device::quad_place(out);
  device::Quad<double> sum = {};
  if (at.inside())
    for (std::int64_t i = threadIdx.y; i < n; i += device::kQuadRows) {
      const device::Quad<T> row = device::load_quad(dy + (at.k * n + i) * out + at.column(), at.left, whole);
      for (int j = 0; j < 4; ++j) sum.lane[j] += double(row.lane[j]);
    }
  sum = device::quad_column_sum(sum, scratch);
  if (!at.inside() || threadIdx.y != 0) return;
  const device::Quad<T> total = {T(sum.lane[0]), T(sum.lane[1]), T(sum.lane[2]), T(sum.lane[3])};
  device::write_quad(mode, db + at.k * out + at.column(), at.left, false, total);
}

template <class T>
void bias_gradient(CudaContext& ctx, const BackwardArgs& a) {
  const std::int64_t r = a.dy.shape[0], n = a.dy.shape[1], out = a.dy.shape[2];
  const T* const dy = a.dy.as<T>();
  launch(device::quad_column_launch(out, r, ctx.stream()), bias_kernel<T>, a.mode, device::in_quads(out, dy), n, out,
         dy, a.dbias.as<T>());
  check_launch("linear::bias");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) { forward_product(ctx, args); }

void backward(CudaContext& ctx, const BackwardArgs& args) {
  backward_products(ctx, args);
  if (args.dbias) args.dy.dtype == DType::f64 ? bias_gradient<double>(ctx, args) : bias_gradient<float>(ctx, args);
}

}  // namespace genexx::linear::cuda

// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/device/column_sums.h"
#include "kernels/linear_products.h"

namespace genexx::linear::cuda {
namespace {

// db[k, j] = sum of dy[k, :, j]. Block (x, k) owns columns 32 x to 32 x + 31 of replica k; thread (x, y) adds rows y, y
// + kColumnRows, ... in double, then the kColumnRows sums are added in order. Reads each dy once.
template <class T>
__global__ void bias_kernel(WriteMode mode, std::int64_t n, std::int64_t out, const T* __restrict__ dy,
                            T* __restrict__ db) {
  GENEXX_SHARED(double, scratch, [device::kColumnRows][device::kColumnTile]);
  const std::int64_t j = std::int64_t{blockIdx.x} * device::kColumnTile + threadIdx.x, k = blockIdx.y;
  double sum = 0;
  if (j < out)
    for (std::int64_t i = threadIdx.y; i < n; i += device::kColumnRows) sum += double(dy[(k * n + i) * out + j]);
  sum = device::column_sum(sum, scratch);
  if (j >= out || threadIdx.y != 0) return;
  T& target = db[k * out + j];
  target = mode == WriteMode::accumulate ? T(target + T(sum)) : T(sum);
}

template <class T>
void bias_gradient(CudaContext& ctx, const BackwardArgs& a) {
  const std::int64_t r = a.dy.shape[0], n = a.dy.shape[1], out = a.dy.shape[2];
  launch(device::column_launch(out, r, ctx.stream()), bias_kernel<T>, a.mode, n, out, a.dy.as<T>(), a.dbias.as<T>());
  check_launch("linear::bias");
}

}  // namespace

void forward(CudaContext& ctx, const ForwardArgs& args) { forward_product(ctx, args); }

void backward(CudaContext& ctx, const BackwardArgs& args) {
  backward_products(ctx, args);
  if (args.dbias) args.dy.dtype == DType::f64 ? bias_gradient<double>(ctx, args) : bias_gradient<float>(ctx, args);
}

}  // namespace genexx::linear::cuda

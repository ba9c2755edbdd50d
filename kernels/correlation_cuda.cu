// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"
#include "kernels/correlation.h"
#include "kernels/device/elementwise.h"

namespace genexx::correlation::cuda {
namespace {

// Each thread owns elements i, i + stride, ...; moves 2 elements a unit.
template <class T>
__global__ void limit_kernel(std::int64_t n, T* x) {
  for (std::int64_t i = device::first_index(); i < n; i += device::index_stride())
    x[i] = x[i] > T(1) ? T(1) : x[i] < T(-1) ? T(-1) : x[i];
}

template <class T>
void limit_typed(CudaContext& ctx, const Tensor& x) {
  const std::int64_t n = x.shape.elements();
  launch(device::elementwise_launch(n, ctx.stream()), limit_kernel<T>, n, x.as<T>());
  check_launch("correlation::limit");
}

}  // namespace

void limit(CudaContext& ctx, const Tensor& x) {
  x.dtype == DType::f64 ? limit_typed<double>(ctx, x) : limit_typed<float>(ctx, x);
}

}  // namespace genexx::correlation::cuda

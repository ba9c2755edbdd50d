// SPDX-License-Identifier: Apache-2.0
// The op's door: device and element type are chosen here, once; below it all is typed.
#pragma once

#include <cassert>

#include "engine/context.h"
#include "engine/tensor.h"
#ifdef GENEXX_WITH_CUDA
#include "engine/cuda/cuda_context.h"
#endif

namespace genexx {

class CudaContext;

// Calls `on_cpu` with the CpuContext or `on_cuda` with the CudaContext. `on_cuda` is a generic lambda, so that a build
// without CUDA never instantiates it and needs no stub files:
//   on_device(ctx, [&](CpuContext& c) { cpu::forward(c, a); }, [&](auto& c) { cuda::forward(c, a); });
template <class OnCpu, class OnCuda>
void on_device(Context& ctx, OnCpu&& on_cpu, [[maybe_unused]] OnCuda&& on_cuda) {
  if (ctx.device() == DeviceType::cpu) {
    on_cpu(static_cast<CpuContext&>(ctx));
    return;
  }
#ifdef GENEXX_WITH_CUDA
  on_cuda(static_cast<CudaContext&>(ctx));
#else
  assert(false && "a CUDA context cannot exist in a build without CUDA");
#endif
}

// Calls `body` with a value of the floating-point type: on_float(x.dtype, [&](auto zero) { using T = decltype(zero);
// }). Throws ShapeError for any other type.
template <class Body>
void on_float(DType dtype, Body&& body, CodeLocation at = CodeLocation::here()) {
  if (dtype == DType::f32) return body(float{});
  if (dtype == DType::f64) return body(double{});
  throw ShapeError(std::string("element type is ") + name_of(dtype) + ", expected f32 or f64", at);
}

}  // namespace genexx

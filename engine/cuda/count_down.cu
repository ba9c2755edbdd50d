// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/count_down.h"

#include <cuda_runtime.h>

namespace genexx {
namespace {

__global__ void set_count_kernel(std::int64_t* left, std::int64_t times) { *left = times; }

#if CUDART_VERSION >= 12040
__global__ void count_down_kernel(std::int64_t* left, cudaGraphConditionalHandle handle) {
  const std::int64_t now = *left - 1;
  *left = now;
  cudaGraphSetConditional(handle, now > 0 ? 1u : 0u);
}
#endif

}  // namespace

cudaError_t set_count(std::int64_t* left, std::int64_t times, cudaStream_t stream) {
  set_count_kernel<<<1, 1, 0, stream>>>(left, times);
  return cudaGetLastError();
}

#if CUDART_VERSION >= 12040
cudaError_t add_count_down(cudaGraph_t graph, cudaGraphNode_t after, std::int64_t* left,
                           cudaGraphConditionalHandle handle) {
  void* arguments[] = {&left, &handle};
  cudaKernelNodeParams node{};
  node.func = reinterpret_cast<void*>(&count_down_kernel);
  node.gridDim = dim3(1);
  node.blockDim = dim3(1);
  node.kernelParams = arguments;
  cudaGraphNode_t added = nullptr;
  return cudaGraphAddKernelNode(&added, graph, &after, 1, &node);
}
#endif

cudaError_t probe_device_code() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&set_count_kernel));
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// The kernels of engine/cuda: what counts the steps of a graph with a WHILE node.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace genexx {

// Puts `times` into *left.
cudaError_t set_count(std::int64_t* left, std::int64_t times, cudaStream_t stream);

#if CUDART_VERSION >= 12040
// Adds a node to `graph` behind `after` that takes one from *left and keeps the WHILE node of `handle` going while any
// are left.
cudaError_t add_count_down(cudaGraph_t graph, cudaGraphNode_t after, std::int64_t* left,
                           cudaGraphConditionalHandle handle);
#endif

// Whether the program holds code for the current device.
cudaError_t probe_device_code();

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/step_graph.h"

#include "engine/cuda/check.h"
#include "engine/cuda/count_down.h"
#include "engine/cuda/device_guard.h"

namespace genexx {

CudaStepGraph::CudaStepGraph(cudaGraph_t step, int ordinal, cudaStream_t stream, StepRepeats form)
    : step_(step), ordinal_(ordinal), stream_(stream), form_(form) {
  const cudaError_t status = cudaGraphInstantiate(&once_, step_, 0);
  if (status == cudaSuccess) return;
  cudaGraphDestroy(step_);
  check(status, "cudaGraphInstantiate");
}

CudaStepGraph::~CudaStepGraph() {
  cudaGraphExecDestroy(once_);
  if (many_) cudaGraphExecDestroy(many_);
  cudaFree(left_);
  cudaGraphDestroy(step_);
}

// graph: WHILE (*left > 0) { step; --*left; }. The handle is set to 1 at each launch.
cudaError_t CudaStepGraph::make_loop([[maybe_unused]] cudaGraph_t graph) {
#if CUDART_VERSION >= 12040
  cudaGraphConditionalHandle handle{};
  if (!left_)
    if (const cudaError_t status = cudaMalloc(reinterpret_cast<void**>(&left_), sizeof *left_)) return status;
  if (const cudaError_t status = cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault))
    return status;
  cudaGraphNodeParams loop{};
  loop.type = cudaGraphNodeTypeConditional;
  loop.conditional.handle = handle;
  loop.conditional.type = cudaGraphCondTypeWhile;
  loop.conditional.size = 1;
  cudaGraphNode_t node = nullptr, body = nullptr;
#if CUDART_VERSION >= 13000
  if (const cudaError_t status = cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &loop)) return status;
#else
  if (const cudaError_t status = cudaGraphAddNode(&node, graph, nullptr, 0, &loop)) return status;
#endif
  const cudaGraph_t inside = loop.conditional.phGraph_out[0];
  if (const cudaError_t status = cudaGraphAddChildGraphNode(&body, inside, nullptr, 0, step_)) return status;
  return add_count_down(inside, body, left_, handle);
#else
  return cudaErrorNotSupported;
#endif
}

cudaError_t CudaStepGraph::make_unrolled(cudaGraph_t graph) {
  std::size_t nodes = 0;
  if (const cudaError_t status = cudaGraphGetNodes(step_, nullptr, &nodes)) return status;
  copies_ = unrolled_steps(static_cast<std::int64_t>(nodes));
  cudaGraphNode_t before = nullptr;
  for (std::int64_t i = 0; i < copies_; ++i) {
    cudaGraphNode_t copy = nullptr;
    if (const cudaError_t status = cudaGraphAddChildGraphNode(&copy, graph, &before, i > 0 ? 1 : 0, step_))
      return status;
    before = copy;
  }
  return cudaSuccess;
}

cudaError_t CudaStepGraph::try_form(cudaGraph_t graph) {
  const cudaError_t status = form_ == StepRepeats::loop ? make_loop(graph) : make_unrolled(graph);
  return status == cudaSuccess ? cudaGraphInstantiate(&many_, graph, 0) : status;
}

void CudaStepGraph::make_many() {
  const DeviceGuard guard(ordinal_);
  while (!many_ && form_ != StepRepeats::single) {
    cudaGraph_t graph = nullptr;
    check(cudaGraphCreate(&graph, 0), "cudaGraphCreate");
    const cudaError_t status = try_form(graph);
    cudaGraphDestroy(graph);
    if (status == cudaSuccess) return;
    cudaGetLastError();  // the refusal is answered here and must not surface again
    many_ = nullptr;
    form_ = simpler(form_);
  }
}

void CudaStepGraph::replay(std::int64_t times) {
  if (times > 1 && !many_) make_many();
  if (times > 1 && many_ && form_ == StepRepeats::loop) {
    check(set_count(left_, times, stream_), "set_count");
    check(cudaGraphLaunch(many_, stream_), "cudaGraphLaunch");
    return;
  }
  for (; many_ && times >= copies_; times -= copies_) check(cudaGraphLaunch(many_, stream_), "cudaGraphLaunch");
  for (; times > 0; --times) check(cudaGraphLaunch(once_, stream_), "cudaGraphLaunch");
}

}  // namespace genexx

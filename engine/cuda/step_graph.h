// SPDX-License-Identifier: Apache-2.0
// A captured step as CUDA graphs: one that runs it once, and one that runs it many times.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "engine/context.h"
#include "engine/step_repeats.h"

namespace genexx {

class CudaStepGraph final : public StepGraph {
 public:
  // Takes over `step`. The device must be current in the constructor. Throws DeviceError.
  CudaStepGraph(cudaGraph_t step, int ordinal, cudaStream_t stream, StepRepeats form);
  ~CudaStepGraph() override;
  CudaStepGraph(const CudaStepGraph&) = delete;
  CudaStepGraph& operator=(const CudaStepGraph&) = delete;

  // The graph of many steps is made at the first call with `times` over 1, in the widest form the driver takes.
  void replay(std::int64_t times) override;

 private:
  void make_many();
  cudaError_t make_loop(cudaGraph_t graph);
  cudaError_t make_unrolled(cudaGraph_t graph);
  cudaError_t try_form(cudaGraph_t graph);

  cudaGraph_t step_;
  cudaGraphExec_t once_ = nullptr, many_ = nullptr;
  int ordinal_;
  cudaStream_t stream_;
  StepRepeats form_;
  std::int64_t* left_ = nullptr;  // on the device: steps to go of a loop
  std::int64_t copies_ = 1;       // steps of an unrolled graph
};

}  // namespace genexx

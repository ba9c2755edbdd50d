// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"

#include <cuda_runtime_api.h>

#include <map>

#include "engine/cuda/check.h"
#include "engine/cuda/device_guard.h"

namespace genexx {
namespace {

class CudaStepGraph final : public StepGraph {
 public:
  CudaStepGraph(cudaGraphExec_t graph, cudaStream_t stream) : graph_(graph), stream_(stream) {}
  ~CudaStepGraph() override { cudaGraphExecDestroy(graph_); }
  CudaStepGraph(const CudaStepGraph&) = delete;
  CudaStepGraph& operator=(const CudaStepGraph&) = delete;
  void replay() override { check(cudaGraphLaunch(graph_, stream_), "cudaGraphLaunch"); }

 private:
  cudaGraphExec_t graph_;
  cudaStream_t stream_;
};

}  // namespace

struct CudaContext::Libraries {
  std::map<std::string, std::shared_ptr<void>> states;
};

CudaContext::CudaContext(int ordinal, CUstream_st* stream)
    : ordinal_(ordinal), stream_(stream), libraries_(std::make_unique<Libraries>()) {
  const int count = cuda_device_count();
  if (ordinal < 0 || ordinal >= count)
    throw DeviceError("cuda:" + std::to_string(ordinal) + " is not there: " + std::to_string(count) +
                      " CUDA devices were found; see `genexx info`, or use --device cpu");
  const DeviceGuard guard(ordinal_);
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal), "cudaDeviceGetAttribute");
  check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, ordinal), "cudaDeviceGetAttribute");
  if (major < 8)
    throw DeviceError("cuda:" + std::to_string(ordinal) + " has compute capability " + std::to_string(major) +
                      ".x, expected 8.0 or newer; use --device cpu");
  if (!stream_) {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    owns_stream_ = true;
  }
}

CudaContext::~CudaContext() {
  int previous = 0;
  const bool known = cudaGetDevice(&previous) == cudaSuccess;
  cudaSetDevice(ordinal_);
  cudaStreamSynchronize(stream_);
  release_scratch();
  libraries_.reset();
  if (owns_stream_) cudaStreamDestroy(stream_);
  if (known) cudaSetDevice(previous);
}

void* CudaContext::allocate(std::int64_t bytes) {
  const DeviceGuard guard(ordinal_);
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, static_cast<std::size_t>(bytes));
  if (status == cudaSuccess) return memory;
  cudaGetLastError();  // the failure is reported here and must not surface again
  std::size_t free_bytes = 0, total_bytes = 0;
  cudaMemGetInfo(&free_bytes, &total_bytes);
  throw DeviceError("out of memory on cuda:" + std::to_string(ordinal_) + ": " + std::to_string(bytes) +
                    " bytes were asked for, " + std::to_string(free_bytes) + " of " + std::to_string(total_bytes) +
                    " are free; use fewer replicas, a smaller batch or --device cpu");
}

void CudaContext::release(void* memory) noexcept { cudaFree(memory); }

void CudaContext::copy_to_device(void* device, const void* host, std::int64_t bytes) {
  check(cudaMemcpyAsync(device, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, stream_),
        "cudaMemcpyAsync");
  synchronize();
}

void CudaContext::copy_to_host(void* host, const void* device, std::int64_t bytes) {
  check(cudaMemcpyAsync(host, device, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, stream_),
        "cudaMemcpyAsync");
  synchronize();
}

void CudaContext::copy_within(void* to, const void* from, std::int64_t bytes) {
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice, stream_),
        "cudaMemcpyAsync");
}

void CudaContext::fill_bytes(void* device, int value, std::int64_t bytes) {
  check(cudaMemsetAsync(device, value, static_cast<std::size_t>(bytes), stream_), "cudaMemsetAsync");
}

void CudaContext::synchronize() { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

std::unique_ptr<StepGraph> CudaContext::capture(std::function<void()> step) {
  const DeviceGuard guard(ordinal_);
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    step();
  } catch (...) {
    cudaStreamEndCapture(stream_, &graph);
    if (graph) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(status, "cudaGraphInstantiate");
  return std::make_unique<CudaStepGraph>(executable, stream_);
}

std::shared_ptr<void> CudaContext::library_state(const std::string& key,
                                                 const std::function<std::shared_ptr<void>()>& make) {
  std::shared_ptr<void>& state = libraries_->states[key];
  if (!state) state = make();
  return state;
}

int cuda_device_count() noexcept {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  return count;
}

std::string cuda_device_description(int ordinal) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  return std::string(properties.name) + ", compute capability " + std::to_string(properties.major) + "." +
         std::to_string(properties.minor) + ", " + std::to_string(properties.totalGlobalMem >> 30) + " GiB";
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/cuda_context.h"

#include <cuda_runtime_api.h>

#include <map>

#include "engine/cuda/check.h"
#include "engine/cuda/count_down.h"
#include "engine/cuda/device_guard.h"
#include "engine/cuda/step_graph.h"

namespace genexx {

struct CudaContext::Libraries {
  cudaEvent_t done = nullptr;  // all work so far; waiting for it lets the processor sleep
  std::map<std::string, std::shared_ptr<void>> states;
};

CudaContext::CudaContext(int ordinal, CUstream_st* stream)
    : ordinal_(ordinal), stream_(stream), libraries_(std::make_unique<Libraries>()) {
  if (const std::string problem = cuda_device_problem(); !problem.empty())
    throw DeviceError("cuda:" + std::to_string(ordinal) + " cannot be used: " + problem);
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
  check(probe_device_code(), "loading the program's kernels");
  if (!stream_) {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    owns_stream_ = true;
  }
  check(cudaEventCreateWithFlags(&libraries_->done, cudaEventBlockingSync | cudaEventDisableTiming),
        "cudaEventCreateWithFlags");
  int runtime = 0, driver = 0;
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  repeats_ = step_repeats(runtime, driver);
}

CudaContext::~CudaContext() {
  int previous = 0;
  const bool known = cudaGetDevice(&previous) == cudaSuccess;
  cudaSetDevice(ordinal_);
  cudaStreamSynchronize(stream_);
  release_scratch();
  libraries_->states.clear();
  if (libraries_->done) cudaEventDestroy(libraries_->done);
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
  const DeviceMemory left = {static_cast<std::int64_t>(free_bytes), static_cast<std::int64_t>(total_bytes)};
  throw DeviceError(status == cudaErrorMemoryAllocation
                        ? out_of_memory(ordinal_, bytes, left)
                        : to_string({"cudaMalloc", cudaGetErrorName(status), cudaGetErrorString(status)}));
}

void CudaContext::release(void* memory) noexcept { cudaFree(memory); }

std::optional<DeviceMemory> CudaContext::memory() const {
  const DeviceGuard guard(ordinal_);
  std::size_t free_bytes = 0, total_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &total_bytes), "cudaMemGetInfo");
  return DeviceMemory{static_cast<std::int64_t>(free_bytes), static_cast<std::int64_t>(total_bytes)};
}

void CudaContext::copy_to_device(void* device, const void* host, std::int64_t bytes) {
  check(cudaMemcpyAsync(device, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, stream_),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

void CudaContext::copy_to_host(void* host, const void* device, std::int64_t bytes) {
  check(cudaMemcpyAsync(host, device, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, stream_),
        "cudaMemcpyAsync");
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

void CudaContext::copy_within(void* to, const void* from, std::int64_t bytes) {
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice, stream_),
        "cudaMemcpyAsync");
}

void CudaContext::fill_bytes(void* device, int value, std::int64_t bytes) {
  check(cudaMemsetAsync(device, value, static_cast<std::size_t>(bytes), stream_), "cudaMemsetAsync");
}

// Sleeps rather than spins, without touching the device's scheduling flags, which are the host program's.
void CudaContext::synchronize() {
  check(cudaEventRecord(libraries_->done, stream_), "cudaEventRecord");
  check(cudaEventSynchronize(libraries_->done), "cudaEventSynchronize");
}

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
  return std::make_unique<CudaStepGraph>(graph, ordinal_, stream_, repeats_);
}

void CudaContext::set_grid_begin(GridBegin begin) {
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal_), "cudaDeviceGetAttribute");
  begin_ = major >= 9 ? begin : GridBegin::behind;
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

std::string cuda_device_problem() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status == cudaSuccess) return "";
  return to_string(DeviceFailure{.call = "looking for a GPU with cudaGetDeviceCount",
                                 .name = cudaGetErrorName(status),
                                 .text = cudaGetErrorString(status)});
}

std::string cuda_device_name(int ordinal) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  return properties.name;
}

std::string cuda_device_description(int ordinal) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  return std::string(properties.name) + ", compute capability " + std::to_string(properties.major) + "." +
         std::to_string(properties.minor) + ", " + std::to_string(properties.totalGlobalMem >> 30) + " GiB";
}

}  // namespace genexx

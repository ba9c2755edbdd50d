// SPDX-License-Identifier: Apache-2.0
// engine/cuda/cuda_context.h over the emulator: one device, "cuda:0", whose work is done when a call returns.
#include "engine/cuda/cuda_context.h"

#include <cstring>
#include <map>

#include "tests/simt/execution.h"

namespace genexx {
namespace {

using Work = std::vector<std::function<void()>>;

// What the stream was given during capture, with the arguments it had then.
class EmulatedStepGraph final : public StepGraph {
 public:
  explicit EmulatedStepGraph(Work work) : work_(std::move(work)) {}
  void replay() override {
    for (const std::function<void()>& each : work_) {
      each();
      const std::string error = simt::take_launch_error();
      if (!error.empty()) throw DeviceError("replay: " + error);
    }
  }

 private:
  Work work_;
};

void refuse_in_capture(const CUstream_st* stream, const char* call) {
  if (stream->recording)
    throw DeviceError(std::string(call) + " is not permitted while the stream is captured: do it before the step");
}

}  // namespace

struct CudaContext::Libraries {
  CUstream_st own_stream;
  std::map<std::string, std::shared_ptr<void>> states;
};

CudaContext::CudaContext(int ordinal, CUstream_st* stream)
    : ordinal_(ordinal), stream_(stream), multiprocessors_(4), libraries_(std::make_unique<Libraries>()) {
  if (ordinal != 0)
    throw DeviceError("cuda:" + std::to_string(ordinal) + " is not there: the emulator has cuda:0 only");
  if (stream_) return;
  stream_ = &libraries_->own_stream;
  owns_stream_ = true;
}

CudaContext::~CudaContext() {
  release_scratch();
  libraries_->states.clear();
}

void* CudaContext::allocate(std::int64_t bytes) {
  refuse_in_capture(stream_, "allocation");
  return simt::allocate_device(static_cast<std::size_t>(bytes));
}

void CudaContext::release(void* memory) noexcept { simt::release_device(memory); }

void CudaContext::copy_to_device(void* device, const void* host, std::int64_t bytes) {
  refuse_in_capture(stream_, "copy_to_device");
  simt::expect_device_memory("copy_to_device", device, static_cast<std::size_t>(bytes));
  if (bytes > 0) std::memcpy(device, host, static_cast<std::size_t>(bytes));
}

void CudaContext::copy_to_host(void* host, const void* device, std::int64_t bytes) {
  refuse_in_capture(stream_, "copy_to_host");
  simt::expect_device_memory("copy_to_host", device, static_cast<std::size_t>(bytes));
  if (bytes > 0) std::memcpy(host, device, static_cast<std::size_t>(bytes));
}

void CudaContext::copy_within(void* to, const void* from, std::int64_t bytes) {
  simt::expect_device_memory("copy_within, target", to, static_cast<std::size_t>(bytes));
  simt::expect_device_memory("copy_within, source", from, static_cast<std::size_t>(bytes));
  if (bytes > 0) simt::give(stream_, [=] { std::memcpy(to, from, static_cast<std::size_t>(bytes)); });
}

void CudaContext::fill_bytes(void* device, int value, std::int64_t bytes) {
  simt::expect_device_memory("fill_bytes", device, static_cast<std::size_t>(bytes));
  if (bytes > 0) simt::give(stream_, [=] { std::memset(device, value, static_cast<std::size_t>(bytes)); });
}

void CudaContext::synchronize() { refuse_in_capture(stream_, "synchronize"); }

std::unique_ptr<StepGraph> CudaContext::capture(std::function<void()> step) {
  refuse_in_capture(stream_, "capture");
  Work work;
  stream_->recording = &work;
  try {
    step();
  } catch (...) {
    stream_->recording = nullptr;
    throw;
  }
  stream_->recording = nullptr;
  return std::make_unique<EmulatedStepGraph>(std::move(work));
}

std::shared_ptr<void> CudaContext::library_state(const std::string& key,
                                                 const std::function<std::shared_ptr<void>()>& make) {
  std::shared_ptr<void>& state = libraries_->states[key];
  if (!state) state = make();
  return state;
}

int cuda_device_count() noexcept { return 1; }

std::string cuda_device_description(int) { return "emulated on the CPU"; }

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// engine/cuda/cuda_context.h over the emulator: one device, "cuda:0", whose work is done when a call returns,
// or, with Options::queued, when somebody waits for it.
#include "engine/cuda/cuda_context.h"

#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "engine/device_failure.h"
#include "tests/simt/execution.h"
#include "tests/simt/failures.h"

namespace genexx {
namespace {

using Work = std::vector<std::function<void()>>;

// What the stream was given during capture, with the arguments it had then.
class EmulatedStepGraph final : public StepGraph {
 public:
  EmulatedStepGraph(Work work, CUstream_st* stream, StepRepeats form)
      : work_(std::make_shared<const Work>(std::move(work))),
        stream_(stream),
        form_(form),
        copies_(form == StepRepeats::unrolled ? unrolled_steps(static_cast<std::int64_t>(work_->size())) : 1) {}

  // As engine/cuda/step_graph.cc shares steps out over launches; a loop counts on the device, which a step that writes
  // where it must not would change.
  void replay(std::int64_t times) override {
    if (times > 1 && form_ == StepRepeats::loop) return launch([work = work_, times] { loop(*work, times); });
    for (; times >= copies_; times -= copies_) launch([work = work_, copies = copies_] { run(*work, copies); });
    if (times > 0) launch([work = work_, times] { run(*work, times); });
  }

 private:
  void launch(std::function<void()> graph) {
    if (stream_->queue) {
      stream_->queue->push_back(std::move(graph));
    } else {
      graph();
    }
  }
  static void loop(const Work& work, std::int64_t times) {
    const simt::DeviceAccess access;
    const auto left = std::unique_ptr<std::int64_t, void (*)(void*)>(
        static_cast<std::int64_t*>(simt::allocate_device(sizeof(std::int64_t))), simt::release_device);
    for (*left = times; *left > 0; --*left) run(work, 1);
  }
  static void run(const Work& work, std::int64_t times) {
    for (; times > 0; --times)
      for (const std::function<void()>& each : work) {
        simt::do_work(each);
        const std::string error = simt::take_launch_error();
        if (!error.empty()) throw DeviceError("replay: " + error);
      }
  }

  std::shared_ptr<const Work> work_;
  CUstream_st* stream_;
  StepRepeats form_;
  std::int64_t copies_;
};

void refuse_in_capture(const CUstream_st* stream, const char* call) {
  if (stream->recording)
    throw DeviceError(std::string(call) + " is not permitted while the stream is captured: do it before the step");
}

}  // namespace

struct CudaContext::Libraries {
  CUstream_st own_stream;
  Work queue;           // of the own stream, with Options::queued
  std::string failure;  // of work that was waited for where nothing can be thrown
  std::map<std::string, std::shared_ptr<void>> states;
};

CudaContext::CudaContext(int ordinal, CUstream_st* stream)
    : ordinal_(ordinal), stream_(stream), multiprocessors_(4), libraries_(std::make_unique<Libraries>()) {
  if (const std::string problem = cuda_device_problem(); !problem.empty()) throw DeviceError(problem);
  if (ordinal != 0)
    throw DeviceError("cuda:" + std::to_string(ordinal) + " is not there: the emulator has cuda:0 only");
  if (!simt::failures().no_code.empty())
    throw DeviceError(to_string({"loading the program's kernels", simt::failures().no_code, "as the test asked for"}));
  if (stream_) return;
  stream_ = &libraries_->own_stream;
  if (simt::options().queued) stream_->queue = &libraries_->queue;
  owns_stream_ = true;
}

CudaContext::~CudaContext() {
  try {
    simt::drain(stream_);
  } catch (const Error&) {
    // a destructor cannot say so; whoever wanted the results has waited for them before
  }
  release_scratch();
  libraries_->states.clear();
}

void* CudaContext::allocate(std::int64_t bytes) {
  refuse_in_capture(stream_, "allocation");
  return simt::allocate_device(static_cast<std::size_t>(bytes));
}

// As on a device, memory is only given back when the work before it is done.
void CudaContext::release(void* memory) noexcept {
  try {
    simt::drain(stream_);
  } catch (const Error& error) {
    libraries_->failure = error.what();
  }
  simt::release_device(memory);
}

std::optional<DeviceMemory> CudaContext::memory() const {
  const std::int64_t limit = simt::failures().memory;
  if (limit < 0) return std::nullopt;
  return DeviceMemory{limit - static_cast<std::int64_t>(simt::device_bytes()), limit};
}

void CudaContext::copy_to_device(void* device, const void* host, std::int64_t bytes) {
  refuse_in_capture(stream_, "copy_to_device");
  simt::expect_device_memory("copy_to_device", device, static_cast<std::size_t>(bytes));
  synchronize();
  simt::do_work([=] {
    if (bytes > 0) std::memcpy(device, host, static_cast<std::size_t>(bytes));
  });
}

void CudaContext::copy_to_host(void* host, const void* device, std::int64_t bytes) {
  refuse_in_capture(stream_, "copy_to_host");
  simt::expect_device_memory("copy_to_host", device, static_cast<std::size_t>(bytes));
  synchronize();
  simt::do_work([=] {
    if (bytes > 0) std::memcpy(host, device, static_cast<std::size_t>(bytes));
  });
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

void CudaContext::synchronize() {
  refuse_in_capture(stream_, "synchronize");
  simt::drain(stream_);
  const std::string failure = std::exchange(libraries_->failure, {});
  if (!failure.empty()) throw DeviceError(failure);
}

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
  return std::make_unique<EmulatedStepGraph>(std::move(work), stream_, repeats_);
}

void CudaContext::set_grid_begin(GridBegin begin) { begin_ = begin; }

std::shared_ptr<void> CudaContext::library_state(const std::string& key,
                                                 const std::function<std::shared_ptr<void>()>& make) {
  std::shared_ptr<void>& state = libraries_->states[key];
  if (!state) state = make();
  return state;
}

int cuda_device_count() noexcept { return simt::failures().no_device.empty() ? 1 : 0; }

std::string cuda_device_problem() {
  const std::string& name = simt::failures().no_device;
  return name.empty() ? "" : to_string({"looking for a GPU", name, "as the test asked for"});
}

std::string cuda_device_description(int) { return "emulated on the CPU"; }

}  // namespace genexx

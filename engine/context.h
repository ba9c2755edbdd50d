// SPDX-License-Identifier: Apache-2.0
// Where work happens: a device, its memory, its stream and its scratch space. Everything an op needs beyond its
// arguments arrives here; nothing is ambient.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cpu_isa.h"
#include "engine/precision.h"
#include "engine/thread_pool.h"

namespace genexx {

enum class DeviceType { cpu, cuda };

// A recorded step that can be run again: replay gives the bits of the first run.
class StepGraph {
 public:
  virtual ~StepGraph() = default;
  // Runs the step `times` times, one after the other. Does not synchronize: a device is given all of them at once and
  // the host is free meanwhile; engine/step_repeats.h says how.
  virtual void replay(std::int64_t times) = 0;
  void replay() { replay(1); }
};

// Memory of a device that is not the host's own.
struct DeviceMemory {
  std::int64_t free_bytes = 0, total_bytes = 0;
};

class Context {
 public:
  virtual ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  virtual DeviceType device() const = 0;

  // Memory of this device, aligned to 256 bytes. Throws DeviceError naming the bytes asked for. Buffer owns it.
  virtual void* allocate(std::int64_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  // Absent where allocate() takes from the host's memory.
  virtual std::optional<DeviceMemory> memory() const { return std::nullopt; }

  // Stream-ordered with the ops of this context. copy_to_host waits until the bytes have arrived; copy_to_device
  // returns when `host` may be changed again; the others do not synchronize.
  virtual void copy_to_device(void* device, const void* host, std::int64_t bytes) = 0;
  virtual void copy_to_host(void* host, const void* device, std::int64_t bytes) = 0;
  virtual void copy_within(void* to, const void* from, std::int64_t bytes) = 0;
  virtual void fill_bytes(void* device, int value, std::int64_t bytes) = 0;

  // Waits for all work given to this context. Throws DeviceError if any of it failed.
  virtual void synchronize() = 0;

  // Records what `step` launches. `step` may be called at once or at replay; it must only call ops.
  virtual std::unique_ptr<StepGraph> capture(std::function<void()> step) = 0;

  // Of the products of networks' matrices (kernels/linear.h); statistics do not heed it. On CUDA a class buys speed;
  // the CPU gives the same numbers up to the order of sums, slower, so that a class can be judged without a GPU.
  Precision precision = Precision::fp32;

 protected:
  Context() = default;

 private:
  friend class ScratchFrame;
  // Scratch grows by whole blocks in the first steps and is then only handed out again.
  struct ScratchBlock {
    char* begin = nullptr;
    std::int64_t capacity = 0;
    std::int64_t used = 0;
  };
  std::vector<ScratchBlock> scratch_;

 protected:
  void release_scratch() noexcept;  // derived destructors call this while allocate/release still work
};

// Temporary memory for the length of a scope. Frames nest like stack frames; memory is not initialized and is reused by
// the next op, which is safe because a context runs its work in order. Allocates only when more is needed than ever
// before.
class ScratchFrame {
 public:
  explicit ScratchFrame(Context& ctx);
  ~ScratchFrame();
  ScratchFrame(const ScratchFrame&) = delete;
  ScratchFrame& operator=(const ScratchFrame&) = delete;

  void* take_bytes(std::int64_t bytes);
  template <class T>
  T* take(std::int64_t count) {
    return static_cast<T*>(take_bytes(count * static_cast<std::int64_t>(sizeof(T))));
  }

 private:
  Context& ctx_;
  std::vector<std::int64_t>::size_type blocks_before_;
  std::int64_t used_before_;
};

// The embedded default device. `pool` may be null (everything on the calling thread) and is shared, not owned.
class CpuContext final : public Context {
 public:
  explicit CpuContext(ThreadPool* pool = nullptr, CpuIsa isa = best_cpu_isa()) : isa_(isa), pool_(pool) {}
  ~CpuContext() override { release_scratch(); }

  DeviceType device() const override { return DeviceType::cpu; }
  void* allocate(std::int64_t bytes) override;
  void release(void* memory) noexcept override;
  void copy_to_device(void* device, const void* host, std::int64_t bytes) override;
  void copy_to_host(void* host, const void* device, std::int64_t bytes) override;
  void copy_within(void* to, const void* from, std::int64_t bytes) override;
  void fill_bytes(void* device, int value, std::int64_t bytes) override;
  void synchronize() override {}
  std::unique_ptr<StepGraph> capture(std::function<void()> step) override;

  CpuIsa isa() const { return isa_; }
  int threads() const { return pool_ ? pool_->threads() : 1; }

  // Calls task(i) for i in [0, count), shared out over the threads. Does not allocate.
  template <class F>
  void parallel(std::int64_t count, F&& task) {
    if (pool_) {
      pool_->run(count, TaskRef(task));
    } else {
      for (std::int64_t i = 0; i < count; ++i) task(i);
    }
  }

  // The same, telling each task its thread in [0, threads()), for scratch that is one per thread: task(thread, i).
  template <class F>
  void parallel_on(std::int64_t count, F&& task) {
    if (pool_) {
      pool_->run_on(count, task);
    } else {
      for (std::int64_t i = 0; i < count; ++i) task(0, i);
    }
  }

 private:
  CpuIsa isa_;
  ThreadPool* pool_;
};

// Owns device memory of a context, which must outlive it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Context& ctx, std::int64_t bytes)
      : ctx_(&ctx), data_(bytes > 0 ? ctx.allocate(bytes) : nullptr), bytes_(bytes) {}
  ~Buffer() { reset(); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  void reset() noexcept {
    if (data_) ctx_->release(data_);
    data_ = nullptr;
    bytes_ = 0;
  }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(ctx_, other.ctx_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  Context* ctx_ = nullptr;
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace genexx

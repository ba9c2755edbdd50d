// SPDX-License-Identifier: Apache-2.0
// One CUDA device and one stream of it. No CUDA header is needed to include this.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/context.h"
#include "engine/cuda/device_stream.h"
#include "engine/step_repeats.h"

namespace genexx {

class CudaContext final : public Context {
 public:
  // Uses device `ordinal`. With `stream` null a stream of our own is made; else the caller's is used and not destroyed.
  // Throws DeviceError when there is no driver, no such device, the device is older than compute capability 8.0, or the
  // program holds no code for it.
  explicit CudaContext(int ordinal, CUstream_st* stream = nullptr);
  ~CudaContext() override;

  DeviceType device() const override { return DeviceType::cuda; }
  void* allocate(std::int64_t bytes) override;
  void release(void* memory) noexcept override;
  std::optional<DeviceMemory> memory() const override;
  void copy_to_device(void* device, const void* host, std::int64_t bytes) override;
  void copy_to_host(void* host, const void* device, std::int64_t bytes) override;
  void copy_within(void* to, const void* from, std::int64_t bytes) override;
  void fill_bytes(void* device, int value, std::int64_t bytes) override;
  void synchronize() override;
  std::unique_ptr<StepGraph> capture(std::function<void()> step) override;

  DeviceStream stream() const { return {stream_, begin_}; }
  int ordinal() const { return ordinal_; }
  int multiprocessors() const { return multiprocessors_; }

  // How captured steps are repeated: the widest form that runtime and driver know, unless narrowed here before capture.
  StepRepeats repeats() const { return repeats_; }
  void set_repeats(StepRepeats form) { repeats_ = form; }

  // GridBegin::early lets kernels that can wait for the one ahead be set up while that runs; results are the same.
  // Ignored by devices that cannot. Steps captured before keep what they were captured with.
  void set_grid_begin(GridBegin begin);

  // State of a library used by ops on this context (such as cuBLASLt plans), made on first use and destroyed with the
  // context. `make` is called at most once per key.
  std::shared_ptr<void> library_state(const std::string& key, const std::function<std::shared_ptr<void>()>& make);

 private:
  struct Libraries;
  int ordinal_;
  CUstream_st* stream_ = nullptr;
  bool owns_stream_ = false;
  int multiprocessors_ = 0;
  StepRepeats repeats_ = StepRepeats::loop;
  GridBegin begin_ = GridBegin::behind;
  std::unique_ptr<Libraries> libraries_;
};

// Number of usable CUDA devices; 0 when there is no driver. Never throws.
int cuda_device_count() noexcept;

// Why there is none, and what to do; empty where there are some.
std::string cuda_device_problem();

// "NVIDIA H200".
std::string cuda_device_name(int ordinal);

// "NVIDIA H200, compute capability 9.0, 139 GiB".
std::string cuda_device_description(int ordinal);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/training_memory.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

namespace {

// A context with memory of its own, of which so much is left.
class SmallDevice final : public Context {
 public:
  explicit SmallDevice(std::int64_t left) : left_(left) {}
  DeviceType device() const override { return DeviceType::cuda; }
  std::optional<DeviceMemory> memory() const override { return DeviceMemory{left_, 5'000'000}; }
  void* allocate(std::int64_t bytes) override { return host_.allocate(bytes); }
  void release(void* memory) noexcept override { host_.release(memory); }
  void copy_to_device(void* to, const void* from, std::int64_t n) override { host_.copy_to_device(to, from, n); }
  void copy_to_host(void* to, const void* from, std::int64_t n) override { host_.copy_to_host(to, from, n); }
  void copy_within(void* to, const void* from, std::int64_t n) override { host_.copy_within(to, from, n); }
  void fill_bytes(void* to, int value, std::int64_t n) override { host_.fill_bytes(to, value, n); }
  void synchronize() override {}
  std::unique_ptr<StepGraph> capture(std::function<void()> step) override { return host_.capture(std::move(step)); }

 private:
  CpuContext host_;
  std::int64_t left_;
};

const std::vector<MemoryNeed> kNeeds = {{"weights", 2'500'000}, {"data set", 1'400'000}};

std::int64_t bytes_of(const std::vector<MemoryNeed>& needs, const std::string& what) {
  for (const MemoryNeed& need : needs)
    if (need.what == what) return need.bytes;
  FAIL("no line for " << what);
  return 0;
}

}  // namespace

TEST_CASE("training_memory: a device with enough left is taken, one with a byte too few is refused with the table") {
  CHECK_NOTHROW(expect_device_memory(SmallDevice(3'900'000), kNeeds));
  CHECK_THROWS_WITH_AS(expect_device_memory(SmallDevice(3'899'999), kNeeds),
                       "training needs about 3.9 MB of the device's memory, but 3.9 MB of 5.0 MB are free:\n"
                       "  weights                                      2.5 MB\n"
                       "  data set                                     1.4 MB\n"
                       "use fewer replicas, a smaller batch, a smaller network, or --device cpu",
                       DeviceError);
}

TEST_CASE("training_memory: memory of the host is not asked") {
  CHECK_NOTHROW(expect_device_memory(CpuContext(), {{"weights", std::int64_t{1} << 60}}));
}

TEST_CASE("training_memory: what weights, optimizer and kept weights need, the largest first") {
  Network network;
  network.linear("output", network.input("genes", 1000), 100);  // 100,100 parameters
  TrainingSet set;
  set.cells = 10;
  set.dense = {10, 1000, std::vector<float>(10'000)};
  ReplicaTask task;
  task.train = {0, 1, 2, 3, 4, 5};
  task.validation = {6, 7};
  TrainerConfig config;
  config.batch = 4;
  config.phases = {{.name = "train", .patience = 3}};
  config.phases[0].keep.resize(1);

  const std::vector<MemoryNeed> needs = device_memory_needs(network, set, {task, task, task}, config);

  CHECK(bytes_of(needs, "weights") == 3 * 4 * 100'100);
  CHECK(bytes_of(needs, "gradients of the weights") == 3 * 4 * 100'100);
  CHECK(bytes_of(needs, "optimizer's state") == 2 * 3 * 4 * 100'100);
  CHECK(bytes_of(needs, "weights put aside") == 2 * 3 * 4 * 100'100);
  CHECK(bytes_of(needs, "data set") == 40'000);
  CHECK(bytes_of(needs, "values and gradients of the layers") == 2 * 4 * 3 * 4 * 1100);
  CHECK(bytes_of(needs, "cells to train on and to judge by") == 3 * (16 * 6 + 12 * 2));
  for (std::size_t i = 1; i < needs.size(); ++i) CHECK(needs[i - 1].bytes >= needs[i].bytes);
}

// SPDX-License-Identifier: Apache-2.0
// What the library says when a device is missing, full or lost.
#include "tests/simt/failures.h"

#include <doctest/doctest.h>

#include "engine/cuda/cuda_context.h"
#include "engine/device.h"
#include "engine/error.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "models/training_memory.h"
#include "tests/simt/execution.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;
using simt::FailureScope;

namespace {

struct Case {
  TrainingSet set = toy_training_set({}, 3);
  mlp::Config config;
  Network network;
  TrainerConfig trainer;

  Case() {
    config.widths = {8, 6};
    config.epochs = 3;
    config.learning_rate = 1e-3;
    network = mlp::make_network(set.genes(), set.classes, config);
    trainer = mlp::make_trainer_config(network, config);
    trainer.batch = 16;
  }
};

// The message of the DeviceError that `body` ends with; empty when it does not.
template <class F>
std::string device_error(F&& body) {
  try {
    body();
  } catch (const DeviceError& error) {
    CHECK(error.code() == ExitCode::device);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("device failures: no device, an old driver and a program without code for the device are told apart") {
  const auto said = [](const simt::Failures& failures) {
    const FailureScope scope(failures);
    return device_error([] { make_context("cuda:0", nullptr); });
  };

  CHECK(contains(said({.no_device = "cudaErrorNoDevice", .no_code = ""}), "no GPU is visible to this process"));
  CHECK(contains(said({.no_device = "cudaErrorInsufficientDriver", .no_code = ""}), "update the driver"));
  CHECK(contains(said({.no_device = "", .no_code = "cudaErrorNoKernelImageForDevice"}),
                 "holds no code for this GPU's architecture"));
  CHECK(device_error([] { make_context("cuda:0", nullptr); }).empty());
}

TEST_CASE("device failures: without a usable device auto is the CPU") {
  const FailureScope scope({.no_device = "cudaErrorInsufficientDriver", .no_code = ""});

  CHECK(make_context("auto", nullptr)->device() == DeviceType::cpu);
}

TEST_CASE("device failures: training that does not fit says so before it begins, with a table of who needs how much") {
  const Case c;
  CudaContext ctx(0);
  const auto before = static_cast<std::int64_t>(simt::device_bytes());
  const FailureScope scope({.no_device = "", .no_code = "", .memory = before + 1'000'000});

  const std::string said =
      device_error([&] { Trainer(ctx, c.network, c.set, toy_replicas(c.set, 2, 7), c.trainer, {}); });

  CAPTURE(said);
  CHECK(contains(said, "training needs about "));
  CHECK(contains(said, " of the device's memory, but 1.0 MB of "));
  CHECK(contains(said, "\n  data set "));
  CHECK(contains(said, "\n  optimizer's state "));
  CHECK(contains(said, "\n  work space of products and sums "));
  CHECK(contains(said, "--device cpu"));
  CHECK(static_cast<std::int64_t>(simt::device_bytes()) == before);
}

TEST_CASE("device failures: memory that runs out all the same is said with what was asked for and what is free") {
  CudaContext ctx(0);
  const auto before = static_cast<std::int64_t>(simt::device_bytes());
  const FailureScope scope({.no_device = "", .no_code = "", .memory = before + 1000});
  const Buffer some(ctx, 600);

  const std::string said = device_error([&] { Buffer(ctx, 700); });

  CHECK(contains(said, "out of memory on cuda:0: 700 bytes were asked for, 400 of "));
}

TEST_CASE("device failures: a device lost during training ends it, and says that the checkpoint is valid") {
  const Case c;
  CudaContext ctx(0);
  int epochs = 0;
  Trainer trainer(ctx, c.network, c.set, toy_replicas(c.set, 1, 7), c.trainer, {.on_checkpoint = [&] {
                    if (++epochs == 2) simt::set_failures({.no_device = "", .no_code = "", .lost_after = 10});
                  }});

  const std::string said = device_error([&] { trainer.run(); });
  simt::set_failures({});

  CAPTURE(said);
  CHECK(epochs == 2);
  CHECK(contains(said, "the GPU was lost"));
  CHECK(contains(said, "--resume"));
}

TEST_CASE("device failures: a device lost in a copy ends the copy") {
  CudaContext ctx(0);
  const Buffer buffer(ctx, 8);
  const FailureScope scope({.no_device = "", .no_code = "", .lost_after = 1, .lost_as = "cudaErrorIllegalAddress"});
  double value = 1;
  ctx.copy_to_device(buffer.data(), &value, 8);

  CHECK(contains(device_error([&] { ctx.copy_to_host(&value, buffer.data(), 8); }),
                 "a kernel of this program went wrong"));
}

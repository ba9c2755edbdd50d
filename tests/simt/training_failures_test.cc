// SPDX-License-Identifier: Apache-2.0
// What training says when the device's memory will not do, or the device is lost.
#include <doctest/doctest.h>

#include "engine/cuda/cuda_context.h"
#include "engine/error.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "tests/simt/execution.h"
#include "tests/simt/failures.h"
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

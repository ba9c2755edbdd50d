// SPDX-License-Identifier: Apache-2.0
#include "models/divergence.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "models/flat_layout.h"
#include "models/lane.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"
#include "tests/support/trained_weights.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kBatch = 16, kCells = 53;  // three whole batches and one of five

mlp::Config config() {
  mlp::Config c;
  c.widths = {8, 6};
  c.batch_norm = false;
  c.dropout = 0.25;
  c.epochs = 2;
  c.learning_rate = 1e-3;
  return c;
}

struct Case {
  TrainingSet set = toy_training_set({}, 3);
  Network network = mlp::make_network(set.genes(), set.classes, config());
  TrainerConfig trainer = mlp::make_trainer_config(network, config());
  std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 7);

  Case() {
    trainer.batch = kBatch;
    for (ReplicaTask& t : tasks) {
      t.cell_weights.clear();
      t.train.resize(kCells);
    }
  }
};

struct Bench {
  DeviceData data;
  Lane lane;
  Bench(Context& ctx, const Case& c, std::vector<ReplicaTask> tasks)
      : data(ctx, c.set, c.set.labels), lane(ctx, c.network, data, c.set, std::move(tasks), c.trainer, kCells) {
    lane.begin_phase(0);
  }

  // Puts `value` into element `element` of a parameter of replica 1 of 2; every `element` for kAll.
  static constexpr std::int64_t kAll = -1;
  void plant(const Network& network, const std::string& parameter, std::int64_t element, float value) {
    std::vector<NamedTensor> state;
    lane.save("", state);
    const FlatLayout layout = flat_layout(network, 2);
    for (NamedTensor& t : state) {
      if (t.name != "weights") continue;
      for (std::size_t i = 0; i < network.parameters().size(); ++i) {
        const ParameterSpec& p = network.parameters()[i];
        if (p.name != parameter) continue;
        for (std::int64_t e = element == kAll ? 0 : element; e < (element == kAll ? p.size : element + 1); ++e)
          std::memcpy(t.bytes.data() + (layout.offsets[i] + p.size + e) * 4, &value, 4);
      }
    }
    lane.load("", state);
  }
};

bool all_finite(const std::vector<NamedTensor>& weights) {
  for (const NamedTensor& t : weights)
    for (std::size_t i = 0; i * 4 < t.bytes.size(); ++i) {
      float value = 0;
      std::memcpy(&value, t.bytes.data() + i * 4, 4);
      if (!std::isfinite(value)) return false;
    }
  return true;
}

}  // namespace

TEST_CASE("divergence: a NaN in the second layer's weights is found there, in the first step, in its replica alone") {
  on_every_device([](Context& ctx) {
    const Case c;
    Bench bench(ctx, c, c.tasks), healthy(ctx, c, {c.tasks[0]});
    bench.plant(c.network, "hidden.1.weight", 5, std::nanf(""));

    REQUIRE(bench.lane.run_epoch(1, {}));
    REQUIRE(healthy.lane.run_epoch(1, {}));

    const std::vector<EpochLosses> losses = bench.lane.take_losses();
    CHECK(std::isfinite(losses[0].losses[0]));
    CHECK(std::isnan(losses[1].losses[0]));
    expect_same_replica(bench.lane.weights(), 0, healthy.lane.weights());
    const Divergence found = bench.lane.divergence(1);
    CHECK(found.step == 1);
    CHECK(found.step_of_phase == 1);
    CHECK(found.place == "'hidden.1.weight' holds 1 value of 48 that is not finite");
  });
}

TEST_CASE("divergence: a layer whose output overflows is found by running the step again") {
  on_every_device([](Context& ctx) {
    const Case c;
    Bench bench(ctx, c, c.tasks);
    REQUIRE(bench.lane.run_epoch(1, {}));
    bench.plant(c.network, "hidden.1.weight", Bench::kAll, 3e38f);

    REQUIRE(bench.lane.run_epoch(2, {}));

    const Divergence found = bench.lane.divergence(1);
    CHECK(found.step == 1);
    CHECK(found.step_of_phase == 5);  // four steps an epoch
    CHECK(found.place.rfind("the output of layer 'hidden.1' holds ", 0) == 0);
  });
}

TEST_CASE("divergence: the step is the first whose batch holds the bad cell, the weights stay those before it") {
  on_every_device([](Context& ctx) {
    Case c;
    const std::int64_t bad = c.tasks[1].train[30];
    const std::int64_t stored = c.set.data.row_begin[static_cast<std::size_t>(bad)];
    c.set.data.value[static_cast<std::size_t>(stored)] = std::numeric_limits<float>::infinity();
    for (auto& cell : c.tasks[0].train)
      if (cell == bad) cell = c.tasks[0].train[0] == bad ? c.tasks[0].train[1] : c.tasks[0].train[0];
    Bench bench(ctx, c, c.tasks);

    REQUIRE(bench.lane.run_epoch(1, {}));

    const Divergence found = bench.lane.divergence(1);
    const std::int64_t step = found.step;
    CHECK(step >= 1);
    CHECK(step <= 4);
    CHECK(found.step_of_phase == step);
    CHECK(found.place.rfind("the output of layer '", 0) == 0);
    CHECK(all_finite(bench.lane.weights()));
    if (ctx.device() != DeviceType::cpu) return;  // a device is not asked between steps
    // A lane that is stopped before that step has lost nothing, one that is stopped behind it has.
    for (const std::int64_t steps : {step - 1, step}) {
      Bench stopped(ctx, c, c.tasks);
      std::int64_t asked = 0;
      stopped.lane.run_epoch(1, [&] { return ++asked > steps; });
      CHECK(std::isfinite(stopped.lane.take_losses()[1].losses[0]) == (steps < step));
    }
  });
}

TEST_CASE("divergence: training names loss, replica, epoch, step and layer") {
  on_every_device([](Context& ctx) {
    Case c;
    c.tasks[1].learning_rate = 1e300;
    Trainer trainer(ctx, c.network, c.set, c.tasks, c.trainer, {});
    std::string message;

    try {
      trainer.run();
    } catch (const RuntimeError& e) {
      message = e.what();
    }

    CAPTURE(message);
    CHECK(message.find("loss 'classification' of replica 1 is not finite in epoch 1 of phase 'train', at step 2 of the "
                       "epoch: 'hidden.0.weight' holds ") != std::string::npos);
    CHECK(message.find("try a smaller learning rate") != std::string::npos);
  });
}

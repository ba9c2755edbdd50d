// SPDX-License-Identifier: Apache-2.0
// Steps that a device is given many at a time have the bits of steps run one by one, for the networks of all systems.
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#ifdef GENEXX_WITH_CUDA
#include "engine/cuda/cuda_context.h"
#endif
#include "models/dgex/training.h"
#include "models/lane.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "models/scannonet/network.h"
#include "models/transbrain/network.h"
#include "models/transbrain/training.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kBatch = 16;

struct System {
  std::string name;
  TrainingSet set;
  Network network;
  TrainerConfig config;
};

System scannonet_system() {
  System s = {"scannonet", toy_training_set({}, 2), {}, {}};
  s.network = scannonet::make_network(s.set.genes(), s.set.classes, 0.3, {.squeeze = 5, .hidden = 16, .embedding = 7});
  s.config.lr_decay = 0.99;
  s.config.lr_decay_steps = 3;
  s.config.phases = {{.name = "train",
                      .epochs = 3,
                      .learning_rate = 5e-3,
                      .losses = {scannonet::classification(s.network), scannonet::discriminative(s.network, 10.0),
                                 scannonet::collinearity(s.network, 1.0)}}};
  return s;
}

System mlp_system() {
  System s = {"mlp", toy_training_set({}, 3), {}, {}};
  mlp::Config config;
  config.widths = {12, 9};
  config.epochs = 3;
  config.learning_rate = 1e-2;
  config.lr_decay = 0.9;
  config.lr_decay_epochs = 1;
  s.network = mlp::make_network(s.set.genes(), s.set.classes, config);
  s.config = mlp::make_trainer_config(s.network, config);
  return s;
}

System transbrain_system() {
  System s = {"transbrain", toy_training_set({}, 4), {}, {}};
  s.network = transbrain::make_network(
      {.inputs = s.set.genes(), .hidden1 = 12, .hidden2 = 10, .hidden3 = 8, .outputs = s.set.classes}, 0.1);
  s.config = transbrain::make_trainer_config(s.network, {}, toy_replicas(s.set, 2, 7));
  return s;
}

System dgex_system() {
  System s = {"dgex", toy_training_set({}, 5), {}, {}};
  s.set.targets = {s.set.cells, 5, {}};
  for (std::int64_t i = 0; i < s.set.cells * 5; ++i) s.set.targets.value.push_back(static_cast<float>(i % 11) / 11.0f);
  s.set.monitors = {{"train", {0, 1, 2}}};
  dgex::Config config;
  config.layers = 2;
  config.hidden = 12;
  config.dropout = 0.2;
  s.network = dgex::make_network(s.set.genes(), 5, config);
  s.config = dgex::make_trainer_config(s.network, s.set.monitors, config);
  return s;
}

std::vector<System> systems() {
  std::vector<System> all = {scannonet_system(), mlp_system(), transbrain_system(), dgex_system()};
  for (System& s : all) {
    s.config.batch = kBatch;
    s.config.phases.front().rate_on_rise = {};
  }
  return all;
}

std::vector<ReplicaTask> tasks_of(const System& s) {
  std::vector<ReplicaTask> tasks = toy_replicas(s.set, 2, 7);
  for (ReplicaTask& t : tasks) t.cell_weights.clear();
  return tasks;
}

struct Bench {
  DeviceData data;
  Lane lane;
  Bench(Context& ctx, const System& s, std::int64_t epoch_length)
      : data(ctx, s.set, s.set.targets.empty() ? s.set.labels : std::vector<std::int32_t>()),
        lane(ctx, s.network, data, s.set, tasks_of(s), s.config, epoch_length) {
    lane.begin_phase(0);
  }
  std::vector<NamedTensor> state() const {
    std::vector<NamedTensor> all;
    lane.save("", all);
    return all;
  }
};

// `steps` whole batches, each by a lane that has nothing to replay yet.
std::vector<NamedTensor> one_by_one(Context& ctx, const System& s, std::int64_t epoch_length, std::int64_t steps) {
  std::vector<NamedTensor> state;
  for (std::int64_t i = 0; i < steps; ++i) {
    Bench bench(ctx, s, epoch_length);
    if (i > 0) bench.lane.load("", state);
    int asked = 0;
    bench.lane.run_epoch(2, [&] { return ++asked > 1; });
    state = bench.state();
  }
  return state;
}

void expect_same(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(a[i].name);
    CHECK(a[i].bytes == b[i].bytes);
  }
}

#ifdef GENEXX_WITH_CUDA
void for_every_form(Context& ctx, const std::function<void()>& body) {
  auto* cuda = dynamic_cast<CudaContext*>(&ctx);
  if (!cuda) return body();
  const StepRepeats own = cuda->repeats();
  for (const StepRepeats form : {StepRepeats::loop, StepRepeats::unrolled, StepRepeats::single}) {
    CAPTURE(static_cast<int>(form));
    cuda->set_repeats(form);
    body();
  }
  cuda->set_repeats(own);
}

// Kernels that can wait for the one ahead are set up while it runs.
void begin_early(Context& ctx) {
  if (auto* cuda = dynamic_cast<CudaContext*>(&ctx)) cuda->set_grid_begin(GridBegin::early);
}
#else
void for_every_form(Context&, const std::function<void()>& body) { body(); }
void begin_early(Context&) {}
#endif

}  // namespace

TEST_CASE("replay: steps given many at a time have the bits of steps run one by one, for all systems") {
  on_every_device([](Context& ctx) {
    for (System& s : systems()) {
      CAPTURE(s.name);
      s.config.short_batch = ShortBatch::drop;
      const std::int64_t epoch_length = 5 * kBatch + 3;
      const std::vector<NamedTensor> eager = one_by_one(ctx, s, epoch_length, 10);

      for_every_form(ctx, [&] {
        Bench replayed(ctx, s, epoch_length);
        REQUIRE(replayed.lane.run_epoch(2, {}));  // one step run, four replayed
        REQUIRE(replayed.lane.run_epoch(2, {}));  // five replayed

        expect_same(replayed.state(), eager);
      });
    }
  });
}

TEST_CASE("replay: and so have kernels that are set up while the one ahead still runs") {
  on_every_device([](Context& ctx) {
    for (System& s : systems()) {
      CAPTURE(s.name);
      const std::int64_t epoch_length = 3 * kBatch + 3;
      Bench behind(ctx, s, epoch_length);
      REQUIRE(behind.lane.run_epoch(2, {}));

      begin_early(ctx);
      Bench early(ctx, s, epoch_length);
      REQUIRE(early.lane.run_epoch(2, {}));

      expect_same(early.state(), behind.state());
    }
  });
}

TEST_CASE("replay: so have epochs that end with a short batch") {
  on_every_device([](Context& ctx) {
    for (System& s : systems()) {
      CAPTURE(s.name);
      s.config.short_batch = ShortBatch::keep;
      const std::int64_t epoch_length = kBatch + 5;
      std::vector<NamedTensor> eager;
      for (int epoch = 0; epoch < 3; ++epoch) {  // a step of each size: a new lane runs both
        Bench bench(ctx, s, epoch_length);
        if (epoch > 0) bench.lane.load("", eager);
        REQUIRE(bench.lane.run_epoch(2, {}));
        eager = bench.state();
      }

      for_every_form(ctx, [&] {
        Bench replayed(ctx, s, epoch_length);
        for (int epoch = 0; epoch < 3; ++epoch) REQUIRE(replayed.lane.run_epoch(2, {}));

        expect_same(replayed.state(), eager);
      });
    }
  });
}

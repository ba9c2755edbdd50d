// SPDX-License-Identifier: Apache-2.0
// What a training step may not do: allocate, and give other bits when it is replayed.
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/lane.h"
#include "models/scannonet/network.h"
#include "models/trainer.h"
#include "tests/support/allocation_count.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;

namespace {

// Both phases of scAnnoNet, every loss and dropout on.
TrainerConfig both_phases(const Network& network, std::int64_t batch) {
  constexpr std::int64_t epochs = 3;
  TrainerConfig config;
  config.batch = batch;
  config.lr_decay = 0.99;
  config.lr_decay_steps = 3;
  config.phases = {{.name = "pretrain",
                    .epochs = epochs,
                    .learning_rate = 0.05,
                    .losses = {scannonet::discriminative(network, 1.0)},
                    .trainable = {"gate."}},
                   {.name = "train",
                    .epochs = epochs,
                    .learning_rate = 5e-3,
                    .losses = {scannonet::classification(network), scannonet::discriminative(network, 10.0),
                               scannonet::collinearity(network, 1.0)}}};
  return config;
}

Network toy_network(const TrainingSet& set) {
  return scannonet::make_network(set.genes(), set.classes, 0.3, {.squeeze = 5, .hidden = 16, .embedding = 7});
}

}  // namespace

TEST_CASE("step: the counting allocator counts") {
  std::optional<std::int64_t> calls;
  {
    AllocationCount count;
    CHECK(count.calls().value_or(0) == 0);
    CpuContext ctx;
    const Buffer buffer(ctx, 1 << 20);
    const auto numbers = std::make_unique<std::vector<double>>(1000);
    calls = count.calls();
    CHECK(numbers->size() == 1000);
  }
  CHECK(calls.value_or(3) == 3);
}

TEST_CASE("step: after the first of its size none allocates, in either phase, drawn either way") {
  const TrainingSet set = toy_training_set({.cells = 150, .genes = 300, .classes = 4}, 1);
  const Network network = toy_network(set);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 1, 7);
  const auto cells = static_cast<std::int64_t>(tasks[0].train.size());
  REQUIRE(cells % 32 != 0);  // an epoch has whole batches and a last, shorter one
  ThreadPool pool(2);
  for (const bool weighted : {false, true})
    for (ThreadPool* threads : {static_cast<ThreadPool*>(nullptr), &pool}) {
      CpuContext ctx(threads);
      const TrainerConfig config = both_phases(network, 32);
      const DeviceData data(ctx, set, set.labels);
      ReplicaTask task = tasks[0];
      if (weighted) task.cell_weights = std::vector<double>(task.train.size(), 0.5);
      Lane lane(ctx, network, data, set, {task}, config, cells);
      for (const std::size_t phase : {0u, 1u}) {
        lane.begin_phase(phase);
        REQUIRE(lane.run_epoch(1, {}));

        // Counted from before the first step of the epoch to the end of its last.
        AllocationCount count;
        bool begun = false;
        lane.run_epoch(2, [&] {
          if (!begun) count.restart();
          begun = true;
          return false;
        });
        const std::optional<std::int64_t> calls = count.calls();

        CAPTURE(phase);
        CHECK(begun);
        CHECK(calls.value_or(0) == 0);
      }
    }
}

TEST_CASE("step: replayed steps give the bits of steps run one by one") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 2);
    const Network network = toy_network(set);
    const std::vector<ReplicaTask> tasks = toy_replicas(set, 1, 7);
    REQUIRE(tasks[0].train.size() == 96);  // a step of 64 cells and one of 32
    const TrainerConfig config = both_phases(network, 64);
    Trainer replayed(ctx, network, set, tasks, config, {});

    replayed.run();  // the first step of each size is run, all others are replays of what it launched

    // A trainer that goes on from a state has nothing to replay yet: with one step of each size to an epoch, and a new
    // trainer for each epoch, every step is run.
    Trainer::State state;
    std::unique_ptr<Trainer> eager;
    const std::int64_t epochs = 2 * config.phases[0].epochs;
    for (std::int64_t done = 0; done < epochs; ++done) {
      bool over = false;
      Trainer* self = nullptr;
      eager = std::make_unique<Trainer>(ctx, network, set, tasks, config,
                                        TrainerHooks{.on_checkpoint =
                                                         [&] {
                                                           state = self->state();
                                                           over = true;
                                                         },
                                                     .should_stop = [&] { return over; }});
      self = eager.get();
      if (done > 0) eager->resume(state);
      if (done + 1 < epochs) {
        CHECK_THROWS_AS(eager->run(), StoppedError);
      } else {
        eager->run();
      }
    }
    const std::vector<NamedTensor> a = replayed.weights(), b = eager->weights();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CAPTURE(a[i].name);
      CHECK(a[i].bytes == b[i].bytes);
    }
  });
}

// SPDX-License-Identifier: Apache-2.0
#include "models/trainer.h"

#include "models/scannonet/network.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"
#include "tests/support/trained_weights.h"

using namespace genexx;
using namespace genexx::test;

namespace {

TrainerConfig toy_config(const Network& network) {
  TrainerConfig config;
  config.batch = 32;
  config.lr_decay = 0.99;
  config.lr_decay_steps = 5;
  config.phases = {{.name = "pretrain",
                    .epochs = 2,
                    .learning_rate = 0.05,
                    .losses = {scannonet::discriminative(network, 1.0)},
                    .trainable = {"gate."}},
                   {.name = "train",
                    .epochs = 6,
                    .learning_rate = 5e-3,
                    .losses = {scannonet::classification(network), scannonet::discriminative(network, 10.0),
                               scannonet::collinearity(network, 1.0)},
                    .keep = {{.name = "best", .tie = Tie::within_standard_error}},
                    .ends_with = 0}};
  return config;
}

Network toy_network(const TrainingSet& set) {
  return scannonet::make_network(set.genes(), set.classes, 0.3, {.squeeze = 5, .hidden = 16, .embedding = 7});
}

// One epoch of classification that changes nothing and drops nothing: its figures are those of the first weights.
TrainerConfig idle_config(const Network& network) {
  TrainerConfig config;
  config.batch = 32;
  config.phases = {{.name = "train",
                    .epochs = 1,
                    .learning_rate = 1e-12,
                    .losses = {scannonet::classification(network)},
                    .dropout = DropoutUse::never}};
  return config;
}

std::vector<NamedTensor> train(Context& ctx, const TrainingSet& set, const std::vector<ReplicaTask>& tasks) {
  const Network network = toy_network(set);
  Trainer trainer(ctx, network, set, tasks, toy_config(network), {});
  trainer.run();
  return trainer.weights();
}

}  // namespace

TEST_CASE("trainer: replica k of a joint run has the bits of a run of its own") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 1);
    const std::vector<ReplicaTask> tasks = toy_replicas(set, 3, 100);

    const std::vector<NamedTensor> joint = train(ctx, set, tasks);

    for (std::size_t k = 0; k < tasks.size(); ++k) expect_same_replica(joint, k, train(ctx, set, {tasks[k]}));
  });
}

TEST_CASE("trainer: bits do not depend on threads") {
  const TrainingSet set = toy_training_set({.cells = 300, .genes = 700, .classes = 5}, 2);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 1, 5);
  CpuContext single;
  ThreadPool pool(3);
  CpuContext several(&pool);

  expect_same_replica(train(several, set, tasks), 0, train(single, set, tasks));
}

TEST_CASE("trainer: learns the toy set") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 3);
    const Network network = toy_network(set);
    TrainerConfig config = toy_config(network);
    config.phases[1].epochs = 40;
    Trainer trainer(ctx, network, set, toy_replicas(set, 2, 1), config, {});

    trainer.run();

    double best = 0;
    for (const EpochRecord& r : trainer.history()) best = std::max(best, r.validation.accuracy);
    CHECK(best >= 0.95);
    CHECK(trainer.history().size() == 2 * (2 + 40));
  });
}

TEST_CASE("trainer: stopping at any epoch and resuming gives the bits of an uninterrupted run") {
  CpuContext ctx;
  const TrainingSet set = toy_training_set({}, 4);
  const Network network = toy_network(set);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 9);
  const TrainerConfig config = toy_config(network);
  Trainer whole(ctx, network, set, tasks, config, {});
  std::vector<Trainer::State> states;
  {
    Trainer* self = nullptr;
    Trainer recorded(ctx, network, set, tasks, config, {.on_checkpoint = [&] { states.push_back(self->state()); }});
    self = &recorded;
    recorded.run();
  }
  whole.run();
  REQUIRE(states.size() == 8);

  for (const std::size_t at : {0u, 1u, 2u, 6u, 7u}) {
    CAPTURE(at);
    Trainer resumed(ctx, network, set, tasks, config, {});
    resumed.resume(states[at]);
    resumed.run();
    for (std::size_t k = 0; k < 2; ++k) {
      const std::vector<NamedTensor> a = resumed.weights(), b = whole.weights();
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i].bytes == b[i].bytes);
    }
    CHECK(resumed.history().size() == whole.history().size());
  }
}

TEST_CASE("trainer: weights of classes are those of the mean cross-entropy") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 2);
    const Network network = toy_network(set);
    TrainerConfig config = idle_config(network);
    config.batch = 96;  // all cells: the mean is weighted batch by batch
    std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 7);
    for (ReplicaTask& task : tasks) {
      task.cell_weights.clear();
      task.validation.clear();  // the cells of class 1 alone
      for (const std::int64_t c : task.train)
        if (set.labels[static_cast<std::size_t>(c)] == 1) task.validation.push_back(c);
      task.class_weights = {0, 3, 0, 0};
    }

    Trainer trainer(ctx, network, set, tasks, config, {});
    trainer.run();

    for (const EpochRecord& r : trainer.history()) CHECK(r.losses[0] == doctest::Approx(r.validation.loss));
  });
}

TEST_CASE("trainer: the accuracy of training rows is that of the same cells judged, where nothing changes meanwhile") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 2);
    const Network network = toy_network(set);
    TrainerConfig config = idle_config(network);
    config.phases[0].losses[0].counts_hits = true;
    std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 7);
    for (ReplicaTask& task : tasks) {
      task.validation = task.train;
      task.cell_weights.clear();  // each once an epoch
    }

    Trainer trainer(ctx, network, set, tasks, config, {});
    trainer.run();

    REQUIRE(trainer.history().size() == 2);
    for (const EpochRecord& r : trainer.history()) {
      CHECK(r.validation.accuracy > 0);
      CHECK(r.losses[0] == doctest::Approx(r.validation.loss));
      CHECK(r.training_accuracy == doctest::Approx(r.validation.accuracy));
    }
  });
}

TEST_CASE("trainer: a replica with fewer epochs has the bits of a run that ends there, alone and beside longer ones") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 2);
    const Network network = toy_network(set);
    TrainerConfig config;
    config.batch = 32;
    config.phases = {
        {.name = "train", .epochs = 5, .learning_rate = 5e-3, .losses = {scannonet::classification(network)}}};
    std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 7);
    tasks[0].last_phase_epochs = 2;
    TrainerConfig brief = config;
    brief.phases[0].epochs = 2;

    Trainer joint(ctx, network, set, tasks, config, {});
    joint.run();
    Trainer alone(ctx, network, set, {toy_replicas(set, 2, 7)[0]}, brief, {});
    alone.run();

    CHECK(joint.history().size() == 2 + 5);
    expect_same_replica(joint.weights(), 0, alone.weights());
  });
}

TEST_CASE("trainer: asked to stop, it abandons the epoch and says where") {
  CpuContext ctx;
  const TrainingSet set = toy_training_set({}, 5);
  const Network network = toy_network(set);
  int asked = 0;
  Trainer trainer(ctx, network, set, toy_replicas(set, 1, 1), toy_config(network),
                  {.should_stop = [&] { return ++asked > 5; }});

  CHECK_THROWS_WITH_AS(trainer.run(), doctest::Contains("stopped in phase 'pretrain' after epoch 1"), StoppedError);
}

TEST_CASE("trainer: a loss that is not finite is named with phase, epoch and replica") {
  CpuContext ctx;
  TrainingSet set = toy_training_set({}, 6);
  set.data.value[static_cast<std::size_t>(set.data.row_begin[1])] = std::numeric_limits<float>::infinity();
  const Network network = toy_network(set);
  Trainer trainer(ctx, network, set, toy_replicas(set, 1, 1), toy_config(network), {});

  CHECK_THROWS_WITH_AS(trainer.run(), doctest::Contains("of replica 0 is not finite in epoch 1"), RuntimeError);
}

// SPDX-License-Identifier: Apache-2.0
#include "models/trainer_state.h"

#include <cmath>
#include <limits>

#include "engine/error.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"
#include "tests/support/trained_weights.h"

using namespace genexx;
using namespace genexx::test;

namespace {

mlp::Config config(double dropout) {
  mlp::Config c;
  c.widths = {11, 7};
  c.dropout = dropout;
  c.batch = 16;
  c.epochs = 6;
  c.learning_rate = 3e-3;
  c.weight_decay = 1e-3;
  return c;
}

// Four trials that differ in rate, decay and dropout, one of them without any.
std::vector<ReplicaTask> trials(const TrainingSet& set) {
  const ReplicaTask one = toy_replicas(set, 1, 42).front();
  std::vector<ReplicaTask> all(4, one);
  for (std::size_t k = 0; k < all.size(); ++k) {
    all[k].learning_rate = std::vector<double>{1e-3, 2e-2, 5e-3, 1e-4}[k];
    all[k].weight_decay = std::vector<double>{0.0, 1e-2, 1e-3, 1e-1}[k];
    all[k].dropout = std::vector<double>{0.0, 0.1, 0.3, 0.45}[k];
  }
  return all;
}

}  // namespace

TEST_CASE("trainer_state: a trial of a group has the bits of a training with its numbers in the configuration") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 1);
    const std::vector<ReplicaTask> tasks = trials(set);
    const Network network = mlp::make_network(set.genes(), set.classes, config(0.5));
    Trainer joint(ctx, network, set, tasks, mlp::make_trainer_config(network, config(0.5)), {});
    joint.run();

    for (std::size_t k = 0; k < tasks.size(); ++k) {
      mlp::Config own = config(*tasks[k].dropout);
      own.learning_rate = *tasks[k].learning_rate;
      own.weight_decay = *tasks[k].weight_decay;
      const Network plain = mlp::make_network(set.genes(), set.classes, own);
      Trainer alone(ctx, plain, set, toy_replicas(set, 1, 42), mlp::make_trainer_config(plain, own), {});
      alone.run();

      expect_same_replica(joint.weights(), k, alone.weights());
      for (std::size_t e = 0; e < 6; ++e)
        CHECK(joint.history()[4 * e + k].validation.loss == alone.history()[e].validation.loss);
    }
  });
}

TEST_CASE("trainer_state: paused and gone on with fewer replicas, those have the bits of the whole run") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 2);
    const std::vector<ReplicaTask> tasks = trials(set);
    const Network network = mlp::make_network(set.genes(), set.classes, config(0.5));
    const TrainerConfig trainer = mlp::make_trainer_config(network, config(0.5));
    Trainer whole(ctx, network, set, tasks, trainer, {});
    whole.run();
    Trainer first(ctx, network, set, tasks, trainer, {});
    first.run_to(2);
    REQUIRE(first.history().size() == 2 * 4);

    Trainer rest(ctx, network, set, {tasks[1], tasks[3]}, trainer, {});
    rest.resume(state_of_replicas(first.state(), network, {1, 3}));
    rest.run();

    REQUIRE(rest.history().size() == 2 * 6);
    const std::vector<NamedTensor> got = rest.weights(), want = whole.weights();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::size_t each = want[i].bytes.size() / 4;
      for (std::size_t k = 0; k < 2; ++k)
        CHECK(std::equal(got[i].bytes.begin() + static_cast<std::ptrdiff_t>(k * each),
                         got[i].bytes.begin() + static_cast<std::ptrdiff_t>((k + 1) * each),
                         want[i].bytes.begin() + static_cast<std::ptrdiff_t>((2 * k + 1) * each)));
    }
    for (std::size_t e = 0; e < 6; ++e) {
      CHECK(rest.history()[2 * e].replica == 0);
      CHECK(rest.history()[2 * e].validation.loss == whole.history()[4 * e + 1].validation.loss);
      CHECK(rest.history()[2 * e + 1].validation.loss == whole.history()[4 * e + 3].validation.loss);
    }
  });
}

TEST_CASE("trainer_state: a replica that is not there is refused") {
  CpuContext ctx;
  const TrainingSet set = toy_training_set({}, 3);
  const Network network = mlp::make_network(set.genes(), set.classes, config(0.5));
  Trainer trainer(ctx, network, set, trials(set), mlp::make_trainer_config(network, config(0.5)), {});
  trainer.run_to(1);

  CHECK_THROWS_WITH_AS(state_of_replicas(trainer.state(), network, {1, 4}), doctest::Contains("it holds 4 replicas"),
                       InputError);
}

TEST_CASE("trainer: a replica that diverges stops alone where that was asked for") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 4);
    std::vector<ReplicaTask> tasks = trials(set);
    tasks[2].learning_rate = 1e300;
    const Network network = mlp::make_network(set.genes(), set.classes, config(0.5));
    TrainerConfig trainer = mlp::make_trainer_config(network, config(0.5));
    trainer.on_divergence = OnDivergence::retire;
    Trainer joint(ctx, network, set, tasks, trainer, {});

    joint.run();

    std::int64_t epochs = 0;
    bool finite = true;
    for (const EpochRecord& r : joint.history()) {
      if (r.replica != 2) continue;
      ++epochs;
      CHECK(finite);  // the first that is not is the last there is
      finite = std::isfinite(r.losses[0]);
    }
    CHECK_FALSE(finite);
    CHECK(epochs < 6);
    Trainer alone(ctx, network, set, {tasks[3]}, trainer, {});
    alone.run();
    expect_same_replica(joint.weights(), 3, alone.weights());
  });
}

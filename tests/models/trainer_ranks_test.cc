// SPDX-License-Identifier: Apache-2.0
// Replicas of a training spread over ranks.
#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "models/scannonet/network.h"
#include "models/trainer.h"
#include "models/trainer_state.h"
#include "tests/support/op_test.h"
#include "tests/support/rank_threads.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;

namespace {

// Replicas stop at epochs of their own.
TrainerConfig config_of(const Network& network) {
  TrainerConfig config;
  config.batch = 32;
  config.phases = {{.name = "pretrain",
                    .epochs = 2,
                    .learning_rate = 0.05,
                    .losses = {scannonet::discriminative(network, 1.0)},
                    .trainable = {"gate."}},
                   {.name = "train",
                    .epochs = 9,
                    .learning_rate = 2e-2,
                    .losses = {scannonet::classification(network), scannonet::discriminative(network, 10.0)},
                    .keep = {{.name = "best"}},
                    .ends_with = 0,
                    .patience = 2}};
  return config;
}

struct Case {
  TrainingSet set = toy_training_set({}, 6);
  Network network =
      scannonet::make_network(set.genes(), set.classes, 0.3, {.squeeze = 5, .hidden = 16, .embedding = 7});
  TrainerConfig config = config_of(network);
  std::vector<ReplicaTask> tasks = toy_replicas(set, 5, 30);
};

// Everything a run came to, seconds apart.
struct Outcome {
  std::vector<NamedTensor> weights, kept;
  std::vector<bool> met;
  std::vector<std::vector<double>> history;
};

Outcome outcome_of(const Trainer& trainer) {
  Outcome o;
  o.weights = trainer.weights();
  Trainer::Kept kept = trainer.kept(0);
  o.kept = std::move(kept.weights);
  o.met = std::move(kept.met);
  for (const EpochRecord& r : trainer.history()) {
    o.history.push_back({static_cast<double>(r.epoch), static_cast<double>(r.replica), r.training_accuracy,
                         r.learning_rate, r.validation.loss, r.validation.accuracy, r.validation.macro_f1,
                         r.best ? 1.0 : 0.0});
    for (double& figure : o.history.back())
      if (std::isnan(figure)) figure = -1;  // equal to itself
    o.history.back().insert(o.history.back().end(), r.losses.begin(), r.losses.end());
  }
  return o;
}

bool same_tensors(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const NamedTensor& x, const NamedTensor& y) {
    return x.name == y.name && x.shape == y.shape && x.bytes == y.bytes;
  });
}

void expect_same(const Outcome& got, const Outcome& want) {
  CHECK(same_tensors(got.weights, want.weights));
  CHECK(same_tensors(got.kept, want.kept));
  CHECK(got.met == want.met);
  CHECK(got.history == want.history);
}

Outcome trained_alone(const Case& c) {
  CpuContext ctx;
  Trainer trainer(ctx, c.network, c.set, c.tasks, c.config, {});
  trainer.run();
  return outcome_of(trainer);
}

std::vector<Outcome> trained_on_ranks(const Case& c, int size) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(size));
  on_ranks(size, [&](Communicator& ranks) {
    CpuContext ctx;
    Trainer trainer(ctx, c.network, c.set, c.tasks, c.config, {}, &ranks);
    trainer.run();
    outcomes[static_cast<std::size_t>(ranks.rank())] = outcome_of(trainer);
  });
  return outcomes;
}

}  // namespace

TEST_CASE("trainer: ranks come to the bits of one rank, early stopping included, and all know them") {
  const Case c;
  const Outcome want = trained_alone(c);
  REQUIRE(want.history.size() < 5u * (2 + 9));  // somebody stopped early
  REQUIRE(want.history.size() > 5u * (2 + 3));

  for (const Outcome& got : trained_on_ranks(c, 2)) expect_same(got, want);
  for (const Outcome& got : trained_on_ranks(c, 3)) expect_same(got, want);
}

TEST_CASE("trainer: ranks without a replica come along") {
  const Case c;

  for (const Outcome& got : trained_on_ranks(c, 7)) expect_same(got, trained_alone(c));
}

TEST_CASE("trainer: the state of several ranks is that of one, and any number of ranks goes on with it") {
  const Case c;
  const Outcome want = trained_alone(c);
  CpuContext ctx;
  Trainer alone(ctx, c.network, c.set, c.tasks, c.config, {});
  alone.run_to(3);
  Trainer::State whole;
  on_ranks(3, [&](Communicator& ranks) {
    CpuContext own;
    Trainer first(own, c.network, c.set, c.tasks, c.config, {}, &ranks);
    first.run_to(3);
    const Trainer::State state = first.state();
    if (ranks.is_root()) whole = state;
  });
  CHECK(same_tensors(whole.tensors, alone.state().tensors));

  for (const int size : {1, 2, 4}) {
    CAPTURE(size);
    std::vector<Outcome> outcomes(static_cast<std::size_t>(size));
    on_ranks(size, [&](Communicator& ranks) {
      CpuContext own;
      Trainer rest(own, c.network, c.set, c.tasks, c.config, {}, &ranks);
      rest.resume(whole);
      rest.run();
      outcomes[static_cast<std::size_t>(ranks.rank())] = outcome_of(rest);
    });
    for (const Outcome& got : outcomes) expect_same(got, want);
  }
}

TEST_CASE("trainer: what one rank is asked stops all at the same epoch") {
  const Case c;
  std::vector<std::string> ends(3);

  on_ranks(3, [&](Communicator& ranks) {
    CpuContext ctx;
    Trainer* running = nullptr;
    const auto stop = [&] { return ranks.rank() == 1 && running->history().size() >= 5u * 3; };
    Trainer trainer(ctx, c.network, c.set, c.tasks, c.config, {.should_stop = stop}, &ranks);
    running = &trainer;
    try {
      trainer.run();
    } catch (const StoppedError& error) {
      ends[static_cast<std::size_t>(ranks.rank())] = error.what();
    }
  });

  CHECK(ends == std::vector<std::string>(3, "stopped in phase 'train' after epoch 1 of 9"));
}

TEST_CASE("trainer: an outside judge is asked about all replicas on every rank") {
  Case c;
  c.config.phases[1].keep = {{.name = "judged", .criterion = Criterion::external}};
  c.config.phases[1].patience = 0;
  std::vector<std::vector<std::int64_t>> replicas(2);

  on_ranks(2, [&](Communicator& ranks) {
    CpuContext ctx;
    const auto judge = [&](const std::vector<NamedTensor>& weights) {
      replicas[static_cast<std::size_t>(ranks.rank())].push_back(weights[0].shape[0]);
      return std::vector<double>{3, 1, 4, 1, 5};
    };
    Trainer trainer(ctx, c.network, c.set, c.tasks, c.config, {.judge = judge}, &ranks);
    trainer.run_to(2);
    CHECK(trainer.history().back().external == 5);
  });

  CHECK(replicas[0] == std::vector<std::int64_t>(4, 5));
  CHECK(replicas[1] == replicas[0]);
}

TEST_CASE("trainer_state: the parts of a lane of all replicas, put together, are the lane") {
  on_every_device([](Context& ctx) {
    const Case c;
    Trainer trainer(ctx, c.network, c.set, c.tasks, c.config, {});
    trainer.run_to(2);
    const Trainer::State whole = trainer.state();
    if (nlohmann::json::parse(whole.json).at("lanes") != 1) return;  // a lane a replica: nothing to be joined

    const auto part = [&](const std::vector<std::int64_t>& chosen) {
      return state_of_replicas(whole, c.network, chosen).tensors;
    };
    const std::vector<NamedTensor> joined = joined_lane({part({0, 1, 2}), {}, part({3}), part({4})}, c.network);

    CHECK(same_tensors(joined, whole.tensors));
    CHECK_THROWS_WITH_AS(joined_lane({part({0, 1}), {part({2}).front()}}, c.network), doctest::Contains("no tensor"),
                         InputError);
  });
}

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/philox.h"
#include "models/trainer.h"
#include "tests/support/op_test.h"
#include "tests/support/trained_weights.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kCells = 130, kGenes = 9, kTargets = 4;

float noise(std::uint32_t stream, std::int64_t i, std::int64_t j) {
  return 2 * philox_uniform(
                 philox(philox_key(11, stream), {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), 0, 0})
                     .x) -
         1;
}

// Dense cells whose targets are a smooth function of their genes. Monitors: the first 60 cells, the last 20.
TrainingSet regression_set() {
  TrainingSet set;
  set.cells = kCells;
  set.dense = {kCells, kGenes, {}};
  set.targets = {kCells, kTargets, {}};
  for (std::int64_t i = 0; i < kCells; ++i) {
    for (std::int64_t g = 0; g < kGenes; ++g) set.dense.value.push_back(noise(1, i, g));
    for (std::int64_t t = 0; t < kTargets; ++t) {
      float sum = 0;
      for (std::int64_t g = 0; g < kGenes; ++g)
        sum += noise(2, t, g) * set.dense.value[static_cast<std::size_t>(i * kGenes + g)];
      set.targets.value.push_back(std::tanh(sum));
    }
  }
  Preparation p;
  p.shift.assign(kGenes, 0.25f);
  p.factor.assign(kGenes, 2.0f);
  p.live_genes = kGenes;
  set.preparations = {p};
  set.monitors = {{"train", {}}, {"last", {}}};
  for (std::int64_t c = 0; c < 60; ++c) set.monitors[0].cells.push_back(c);
  for (std::int64_t c = kCells - 20; c < kCells; ++c) set.monitors[1].cells.push_back(c);
  return set;
}

std::vector<ReplicaTask> replicas(std::int64_t count) {
  std::vector<ReplicaTask> all;
  for (std::int64_t k = 0; k < count; ++k) {
    ReplicaTask task;
    task.seed = 40 + k;
    for (std::int64_t c = 0; c < kCells; ++c) (c % 5 == k ? task.validation : task.train).push_back(c);
    all.push_back(std::move(task));
  }
  return all;
}

Network regression_network() {
  Network n;
  Node x = n.tanh(n.linear("hidden.0", n.input("genes", kGenes), 16, Initializer::glorot_uniform, Initializer::zeros));
  x = n.batch_norm("norm", n.linear("hidden.1", n.row_dropout(x, 0.1), 12));
  n.linear("output", n.relu(x), kTargets, Initializer::small_uniform, Initializer::zeros);
  return n;
}

TrainerConfig regression_config(const Network& network) {
  TrainerConfig config;
  config.batch = 16;
  LossSpec loss = {.kind = LossKind::regression, .name = "squared"};
  loss.node = static_cast<int>(network.nodes().size()) - 1;
  loss.reduction = regression_loss::Reduction::sum_over_targets_mean_over_rows;
  PhaseConfig phase = {.name = "train", .epochs = 12, .learning_rate = 5e-3, .losses = {loss}};
  phase.optimizer = {.kind = OptimizerConfig::Kind::sgd, .momentum = 0.5, .rate_scales = {{"output.weight", 3.0}}};
  phase.rate_on_rise = {.factor = 0.9, .floor = 1e-3, .monitor = 0};
  phase.keep = {{.name = "validation", .criterion = Criterion::absolute_error},
                {.name = "last", .criterion = Criterion::monitor, .monitor = 1}};
  config.phases = {phase};
  return config;
}

}  // namespace

TEST_CASE("trainer: regression learns, and each rule keeps the weights of its own best epoch") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = regression_set();
    const Network network = regression_network();
    TrainerConfig config = regression_config(network);
    config.phases[0].epochs = 20;
    config.phases[0].learning_rate = 0.015;
    Trainer trainer(ctx, network, set, replicas(1), config, {});

    trainer.run();

    const std::vector<EpochRecord>& h = trainer.history();
    const auto best = [&](auto cost) {
      return *std::min_element(h.begin(), h.end(),
                               [&](const EpochRecord& a, const EpochRecord& b) { return cost(a) < cost(b); });
    };
    const EpochRecord by_validation = best([](const EpochRecord& r) { return r.validation.absolute_error; });
    const EpochRecord by_monitor = best([](const EpochRecord& r) { return r.monitors[1]; });
    CHECK(by_validation.validation.absolute_error < 0.5 * h.front().validation.absolute_error);
    CHECK(std::isnan(h.front().validation.accuracy));
    // A run that ends with a rule's weights judges the monitors as the best epoch did.
    for (const std::size_t rule : {0u, 1u}) {
      TrainerConfig again = config;
      again.phases[0].epochs = (rule == 0 ? by_validation : by_monitor).epoch;
      Trainer shorter(ctx, network, set, replicas(1), again, {});
      shorter.run();
      expect_same_replica(trainer.kept(rule).weights, 0, shorter.weights());
      CHECK(trainer.kept(rule).met == std::vector<bool>{true});
    }
  });
}

TEST_CASE("trainer: in regression too, replica k of a joint run has the bits of a run of its own") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = regression_set();
    const Network network = regression_network();
    const TrainerConfig config = regression_config(network);
    std::vector<ReplicaTask> tasks = replicas(3);
    tasks[1].learning_rate = 2e-3;
    tasks[1].weight_decay = 0.01;
    tasks[2].dropout = 0.4;

    Trainer joint(ctx, network, set, tasks, config, {});
    joint.run();

    for (std::size_t k = 0; k < tasks.size(); ++k) {
      Trainer alone(ctx, network, set, {tasks[k]}, config, {});
      alone.run();
      expect_same_replica(joint.weights(), k, alone.weights());
      expect_same_replica(joint.kept(1).weights, k, alone.kept(1).weights);
    }
  });
}

TEST_CASE("trainer: the rate falls after an epoch whose watched error rose, and not below its floor") {
  CpuContext ctx;
  const TrainingSet set = regression_set();
  const Network network = regression_network();
  TrainerConfig config = regression_config(network);
  config.phases[0].learning_rate = 0.05;  // too much: the error goes up and down
  config.phases[0].epochs = 40;
  config.phases[0].rate_on_rise = {.factor = 0.5, .floor = 0.02, .monitor = 0};
  Trainer trainer(ctx, network, set, replicas(1), config, {});

  trainer.run();

  const std::vector<EpochRecord>& h = trainer.history();
  double rate = 0.05;
  int falls = 0;
  for (std::size_t e = 0; e < h.size(); ++e) {
    CAPTURE(e);
    CHECK(h[e].learning_rate == rate);
    if (e > 0 && h[e].monitors[0] > h[e - 1].monitors[0]) {
      rate = std::max(rate * 0.5, 0.02);
      ++falls;
    }
  }
  CHECK(falls >= 2);
  CHECK(rate == 0.02);
}

TEST_CASE("trainer: regression with several rules resumes after any epoch with the same bits") {
  CpuContext ctx;
  const TrainingSet set = regression_set();
  const Network network = regression_network();
  const TrainerConfig config = regression_config(network);
  const std::vector<ReplicaTask> tasks = replicas(2);
  std::vector<Trainer::State> states;
  Trainer* self = nullptr;
  Trainer whole(ctx, network, set, tasks, config, {.on_checkpoint = [&] { states.push_back(self->state()); }});
  self = &whole;
  whole.run();
  REQUIRE(states.size() == 12);

  for (const std::size_t at : {0u, 5u, 10u, 11u}) {
    CAPTURE(at);
    Trainer resumed(ctx, network, set, tasks, config, {});
    resumed.resume(states[at]);
    resumed.run();
    for (std::size_t k = 0; k < 2; ++k) {
      const std::vector<NamedTensor> a = resumed.weights(), b = whole.weights();
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i].bytes == b[i].bytes);
      const Trainer::Kept c = resumed.kept(1), d = whole.kept(1);
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(c.weights[i].bytes == d.weights[i].bytes);
    }
  }
}

TEST_CASE("trainer: a replica that stopped early keeps the weights it stopped with") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = regression_set();
    const Network network = regression_network();
    TrainerConfig config = regression_config(network);
    config.phases[0].patience = 2;
    std::int64_t epoch = 0;
    config.phases[0].keep = {{.name = "external", .criterion = Criterion::external}};
    // Replica 0 is judged worse from the third epoch on, replica 1 ever better.
    const TrainerHooks hooks = {.judge = [&](const std::vector<NamedTensor>& weights) {
      REQUIRE(weights.front().shape[0] == 2);
      ++epoch;
      return std::vector<double>{epoch < 3 ? -double(epoch) : double(epoch), -double(epoch)};
    }};
    Trainer trainer(ctx, network, set, replicas(2), config, hooks);

    trainer.run();

    TrainerConfig four = regression_config(network);
    four.phases[0].epochs = 4;
    Trainer stopped(ctx, network, set, {replicas(1)[0]}, four, {});
    stopped.run();
    expect_same_replica(trainer.weights(), 0, stopped.weights());
    CHECK(trainer.history().size() == 4 + 12);
  });
}

TEST_CASE("trainer: a short last batch may be dropped, and must be where batch norm would see one row") {
  CpuContext ctx;
  const TrainingSet set = regression_set();
  const Network network = regression_network();
  TrainerConfig config = regression_config(network);
  config.phases[0].epochs = 1;
  std::vector<ReplicaTask> tasks = replicas(1);
  tasks[0].train.resize(33);  // two batches of 16 and one row
  const auto trained = [&](ShortBatch last) {
    TrainerConfig c = config;
    c.short_batch = last;
    Trainer trainer(ctx, network, set, tasks, c, {});
    trainer.run();
    return trainer.weights();
  };

  expect_same_replica(trained(ShortBatch::keep), 0, trained(ShortBatch::drop));

  tasks[0].train.resize(15);
  config.short_batch = ShortBatch::drop;
  CHECK_THROWS_WITH_AS(Trainer(ctx, network, set, tasks, config, {}),
                       doctest::Contains("train.batch is 16 and a short batch is dropped, but there are 15 cells"),
                       UsageError);
}

// SPDX-License-Identifier: Apache-2.0
// How many pieces of work a captured training step gives to the device: kernels, products of matrices, fills. Small
// networks are bound by this number (docs/performance.md), so that it may not grow unnoticed.
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "models/dgex/training.h"
#include "models/lane.h"
#include "models/mlp/network.h"
#include "models/scannonet/network.h"
#include "models/transbrain/network.h"
#include "tests/simt/execution.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kBatch = 32;
constexpr ToySize kSize = {.cells = 60, .genes = 40, .classes = 4};

// One step of training with these losses, on two replicas.
std::int64_t works_of_step(Context& ctx, const Network& network, const TrainingSet& set, const PhaseConfig& phase) {
  std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 7);
  for (ReplicaTask& task : tasks) {
    task.train.resize(kBatch);
    task.cell_weights.resize(kBatch);
  }
  TrainerConfig config;
  config.batch = kBatch;
  config.phases = {phase};
  const DeviceData data(ctx, set, set.labels);
  Lane lane(ctx, network, data, set, tasks, config, kBatch);
  lane.begin_phase(0);

  const std::int64_t before = simt::works_given();
  lane.run_epoch(1, {});  // the step, and once more while it is captured
  const std::int64_t given = simt::works_given() - before;

  CHECK(given % 2 == 0);
  return given / 2;
}

PhaseConfig phase_of(std::vector<LossSpec> losses, OptimizerConfig::Kind optimizer) {
  PhaseConfig phase = {.name = "train", .epochs = 1, .learning_rate = 0.01, .losses = std::move(losses)};
  phase.optimizer.kind = optimizer;
  return phase;
}

LossSpec last_node(const Network& network, LossKind kind) {
  LossSpec loss = {.kind = kind, .name = "loss"};
  loss.node = static_cast<int>(network.nodes().size()) - 1;
  return loss;
}

// A set with targets instead of labels.
TrainingSet regression_set() {
  TrainingSet set = toy_training_set(kSize, 1);
  set.targets = {set.cells, 3, std::vector<float>(static_cast<std::size_t>(set.cells * 3), 0.5f)};
  set.classes = 0;
  return set;
}

void on_the_device(const std::function<void(Context&)>& body) {
  on_every_device([&](Context& ctx) {
    if (ctx.device() == DeviceType::cuda) body(ctx);
  });
}

}  // namespace

TEST_CASE("training launches: scAnnoNet, both phases") {
  on_the_device([](Context& ctx) {
    const TrainingSet set = toy_training_set(kSize, 1);
    const Network n =
        scannonet::make_network(set.genes(), set.classes, 0.5, {.squeeze = 20, .hidden = 16, .embedding = 8});
    const auto adam = OptimizerConfig::Kind::adam;
    PhaseConfig pretrain = phase_of({scannonet::discriminative(n, 1.0)}, adam);
    pretrain.trainable = {"gate."};
    CHECK(works_of_step(ctx, n, set, pretrain) == 16);
    CHECK(works_of_step(ctx, n, set,
                        phase_of({scannonet::classification(n), scannonet::discriminative(n, 10.0),
                                  scannonet::collinearity(n, 1.0)},
                                 adam)) == 32);
  });
}

TEST_CASE("training launches: fly, two hidden layers with batch norm") {
  on_the_device([](Context& ctx) {
    const TrainingSet set = toy_training_set(kSize, 1);
    mlp::Config config;
    config.widths = {24, 24};
    const Network n = mlp::make_network(set.genes(), set.classes, config);
    CHECK(works_of_step(ctx, n, set, phase_of({mlp::classification(n)}, OptimizerConfig::Kind::adam)) == 19);
  });
}

TEST_CASE("training launches: TransBrain, three hidden layers, hits counted") {
  on_the_device([](Context& ctx) {
    const TrainingSet set = toy_training_set(kSize, 1);
    const Network n = transbrain::make_network({set.genes(), 24, 24, 24, set.classes}, 0.1);
    LossSpec loss = last_node(n, LossKind::cross_entropy);
    loss.counts_hits = true;
    CHECK(works_of_step(ctx, n, set, phase_of({loss}, OptimizerConfig::Kind::adamw)) == 24);
  });
}

TEST_CASE("training launches: D-GEX, three hidden layers") {
  on_the_device([](Context& ctx) {
    const TrainingSet set = regression_set();
    dgex::Config config;
    config.layers = 3;
    config.hidden = 24;
    config.dropout = 0.1;
    const Network n = dgex::make_network(set.genes(), 3, config);
    CHECK(works_of_step(ctx, n, set, phase_of({last_node(n, LossKind::regression)}, OptimizerConfig::Kind::sgd)) == 26);
  });
}

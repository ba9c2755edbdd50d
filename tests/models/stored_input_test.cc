// SPDX-License-Identifier: Apache-2.0
// Training on rows of the data set as they are stored, where no dense batch is made.
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/flat_tensor.h"
#include "models/initializer.h"
#include "models/lane.h"
#include "models/mlp/network.h"
#include "models/predictor.h"
#include "models/scannonet/network.h"
#include "models/trainer.h"
#include "tests/support/allocation_count.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"
#include "tests/support/trained_weights.h"

using namespace genexx;
using namespace genexx::test;

namespace {

// With 20 classes 23 % of the values are stored, and every gene has a shift.
TrainingSet sparse_set() { return toy_training_set({.cells = 150, .genes = 90, .classes = 20}, 4); }

// The same cells as dense numbers.
TrainingSet dense_set() {
  TrainingSet set = sparse_set();
  set.dense.rows = set.data.rows;
  set.dense.cols = set.data.cols;
  set.dense.value.assign(static_cast<std::size_t>(set.data.rows * set.data.cols), 0.0f);
  for (std::int64_t i = 0; i < set.data.rows; ++i)
    for (std::int64_t k = set.data.row_begin[i]; k < set.data.row_begin[i + 1]; ++k)
      set.dense.value[i * set.data.cols + set.data.column[k]] = set.data.value[k];
  set.data = {};
  return set;
}

Network network_of(const TrainingSet& set) {
  mlp::Config config;
  config.widths = {33, 20};
  return mlp::make_network(set.genes(), set.classes, config);
}

TrainerConfig config_of(const Network& network, DType dtype) {
  TrainerConfig config;
  config.batch = 32;
  config.dtype = dtype;
  config.phases = {{.name = "train", .epochs = 4, .learning_rate = 0.05, .losses = {mlp::classification(network)}}};
  config.phases[0].optimizer = {.kind = OptimizerConfig::Kind::sgd, .weight_decay = 1e-3};
  return config;
}

std::vector<double> losses(const Trainer& trainer) {
  std::vector<double> all;
  for (const EpochRecord& r : trainer.history()) {
    all.push_back(r.losses[0]);
    all.push_back(r.validation.loss);
  }
  return all;
}

}  // namespace

TEST_CASE("stored input: is for networks whose input is read by linear layers alone") {
  Network twice;
  const Node x = twice.input("genes", 5);
  twice.linear("b", twice.dropout(x, 0.5), 3);
  Network two;
  const Node y = two.input("genes", 5);
  two.linear("a", y, 2);
  two.linear("b", y, 3);

  CHECK(takes_stored_rows(two));
  CHECK(takes_stored_rows(network_of(sparse_set())));
  CHECK_FALSE(takes_stored_rows(twice));
  CHECK_FALSE(takes_stored_rows(scannonet::make_network(50, 3, 0.5)));  // its gate reads the input too
}

TEST_CASE("stored input: training arrives where it does with the same cells dense") {
  on_every_device([](Context& ctx) {
    const TrainingSet sparse = sparse_set(), dense = dense_set();
    const Network network = network_of(sparse);
    const std::vector<ReplicaTask> tasks = toy_replicas(sparse, 1, 7);
    const TrainerConfig config = config_of(network, DType::f64);
    Trainer from_stored(ctx, network, sparse, tasks, config, {}), from_dense(ctx, network, dense, tasks, config, {});

    from_stored.run();
    from_dense.run();

    // Rounding grows by the steps: 16 of them, each a few times.
    expect_close(losses(from_stored), losses(from_dense), {.k = 1 << 16});
    CHECK(from_stored.history().back().losses[0] < from_stored.history().front().losses[0]);
  });
}

TEST_CASE("stored input: replicas trained jointly, and on other numbers of threads, give the bits of one alone") {
  const TrainingSet set = sparse_set();
  const Network network = network_of(set);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 2, 7);
  const TrainerConfig config = config_of(network, DType::f32);
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  Trainer joint(two, network, set, tasks, config, {});

  joint.run();

  const std::vector<NamedTensor> together = joint.weights();
  for (std::size_t k = 0; k < 2; ++k)
    for (Context* ctx : {static_cast<Context*>(&one), static_cast<Context*>(&two)}) {
      Trainer alone(*ctx, network, set, {tasks[k]}, config, {});
      alone.run();
      expect_same_replica(together, k, alone.weights());
    }
}

TEST_CASE("stored input: a run that goes on from a state gives the bits of one that never stopped") {
  const TrainingSet set = sparse_set();
  const Network network = network_of(set);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 1, 3);
  const TrainerConfig config = config_of(network, DType::f32);
  CpuContext ctx;
  Trainer whole(ctx, network, set, tasks, config, {});
  whole.run();
  Trainer::State state;
  bool over = false;
  Trainer* self = nullptr;
  TrainerHooks hooks;
  hooks.on_checkpoint = [&] {
    state = self->state();
    over = true;
  };
  hooks.should_stop = [&] { return over; };
  Trainer first(ctx, network, set, tasks, config, hooks);
  self = &first;
  CHECK_THROWS_AS(first.run(), StoppedError);
  Trainer second(ctx, network, set, tasks, config, {});

  second.resume(state);
  second.run();

  expect_same_replica(second.weights(), 0, whole.weights());
}

TEST_CASE("stored input: after the first epoch no step allocates") {
  const TrainingSet set = sparse_set();
  const Network network = network_of(set);
  const std::vector<ReplicaTask> tasks = toy_replicas(set, 1, 7);
  const TrainerConfig config = config_of(network, DType::f32);
  ThreadPool pool(2);
  for (ThreadPool* threads : {static_cast<ThreadPool*>(nullptr), &pool}) {
    CpuContext ctx(threads);
    const DeviceData data(ctx, set, set.labels);
    Lane lane(ctx, network, data, set, tasks, config, static_cast<std::int64_t>(tasks[0].train.size()));
    lane.begin_phase(0);
    REQUIRE(lane.run_epoch(1, {}));

    AllocationCount count;
    bool begun = false;
    lane.run_epoch(2, [&] {
      if (!begun) count.restart();
      begun = true;
      return false;
    });
    const std::optional<std::int64_t> calls = count.calls();

    CHECK(begun);
    CHECK(calls.value_or(0) == 0);
  }
}

TEST_CASE("stored input: a prediction is that of the dense batch") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = sparse_set(), dense = dense_set();
    const Preparation& p = set.preparations[0];
    Model model;
    model.network = network_of(set);
    model.weights = initial_weights(model.network, {{5, set.genes()}}, DType::f32);
    model.recipe.input = Recipe::InputKind::log_normalized;
    model.recipe.scaling = Recipe::Scaling::z_score;
    model.recipe.gene_ids.assign(static_cast<std::size_t>(set.genes()), "gene");
    model.recipe.shift.assign(p.shift.begin(), p.shift.end());
    model.recipe.factor.assign(p.factor.begin(), p.factor.end());
    model.recipe.factor[3] = 0;
    const int output = static_cast<int>(model.network.nodes().size()) - 1;
    std::vector<float> x;
    for (std::size_t i = 0; i < dense.dense.value.size(); ++i) {
      const std::size_t gene = i % p.shift.size();
      x.push_back(gene == 3 ? 0.0f : (dense.dense.value[i] - p.shift[gene]) * p.factor[gene]);
    }
    Session session(ctx, model.network, {.max_rows = set.cells, .use = Mode::inference});
    session.set_weights(model.weights);
    ctx.copy_to_device(session.input(set.cells).data, x.data(), static_cast<std::int64_t>(x.size()) * 4);

    session.forward(set.cells, Mode::inference);
    Predictor predictor(ctx, model, {});
    const std::vector<float> found = predictor.values(set.data, 0, output, 0);

    // Sums of 90, 33 and 20 terms of some units, one behind the other.
    expect_close(std::vector<double>(found.begin(), found.end()), download(ctx, session.value(output, 0, set.cells)),
                 {.k = 200, .dtype = DType::f32, .scale = 8});
  });
}

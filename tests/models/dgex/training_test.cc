// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/training.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "engine/flat_tensor.h"
#include "models/dgex/inference.h"
#include "models/initializer.h"
#include "models/loss.h"
#include "models/optimizer.h"
#include "models/session.h"
#include "tests/support/golden_json.h"

using namespace genexx;

namespace {

NamedTensor tensor(const ParameterSpec& p, const std::vector<double>& values) {
  NamedTensor t;
  t.name = p.name;
  t.dtype = DType::f64;
  t.shape = {1};
  t.shape.insert(t.shape.end(), p.shape.begin(), p.shape.end());
  t.bytes.resize(values.size() * sizeof(double));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

const std::vector<dgex::Part> kParts = {{"train", 0, 50}, {"validation", 50, 10}, {"test", 60, 12}, {"1000G", 72, 5}};

}  // namespace

TEST_CASE("dgex training: losses, gradients and 20 steps are PyTorch's") {
  const nlohmann::json g = test::golden_json("dgex_network");
  const auto list = [&](const std::string& name) { return g.at(name).get<std::vector<double>>(); };
  dgex::Config config;
  config.layers = 2;
  config.hidden = g.at("hidden");
  config.dropout = 0;
  config.learning_rate = g.at("rate");
  config.later_rate_scale = g.at("scale");
  config.momentum = g.at("momentum");
  const std::int64_t batch = g.at("batch"), landmarks = g.at("landmarks"), targets = g.at("targets");
  const Network network = dgex::make_network(landmarks, targets, config);
  const TrainerConfig trainer = dgex::make_trainer_config(network, {{"train", {0}}}, config);
  const PhaseConfig& phase = trainer.phases.at(0);
  CpuContext ctx;
  Session session(ctx, network, {.replicas = 1, .max_rows = batch, .dtype = DType::f64});
  std::vector<NamedTensor> initial;
  for (const ParameterSpec& p : network.parameters()) initial.push_back(tensor(p, list("initial/" + p.name)));
  session.set_weights(initial);
  LossSet losses(session, phase.losses, 0, SmallBatch::guarded);
  Optimizer optimizer(session);
  optimizer.begin(
      {.config = phase.optimizer, .learning_rate = {phase.learning_rate}, .weight_decay = {0.0}, .trainable = {}});
  const std::vector<double> x = list("x"), y = list("y"), loss = list("loss");

  double worst_loss = 0;
  for (std::int64_t step = 0; step < g.at("steps").get<std::int64_t>(); ++step) {
    ctx.copy_to_device(session.input(batch).data, x.data() + step * batch * landmarks, batch * landmarks * 8);
    session.forward(batch, Mode::training, losses.nodes());
    session.begin_backward();
    losses.run(batch, {.targets = ConstTensor(y.data() + step * batch * targets, DType::f64, {1, batch, targets})});
    session.backward(batch, Mode::training);
    const double got = losses.take_sums().loss[0][0] / static_cast<double>(batch);
    worst_loss = std::max(worst_loss, std::abs(got - loss[static_cast<std::size_t>(step)]));
    for (std::size_t p = 0; step == 0 && p < network.parameters().size(); ++p)
      CHECK(worst(download(ctx, session.parameter_gradient(p)), list("gradient/" + network.parameters()[p].name)) <
            1e-12);
    optimizer.step();
  }

  CHECK(worst_loss < 1e-11);
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    CAPTURE(network.parameters()[p].name);
    CHECK(worst(download(ctx, session.parameter(p)), list("final/" + network.parameters()[p].name)) < 1e-11);
  }
}

TEST_CASE("dgex training: weights start as published, dropout stands before every layer but the first") {
  dgex::Config config;
  config.layers = 3;
  config.hidden = 40;
  config.dropout = 0.25;
  const Network network = dgex::make_network(30, 20, config);

  std::int64_t dropouts = 0, linear = 0;
  for (const NodeSpec& node : network.nodes()) {
    dropouts += node.kind == NodeKind::dropout ? 1 : 0;
    if (node.kind == NodeKind::dropout) CHECK(node.rate == 0.25);
    if (node.kind != NodeKind::linear) continue;
    const bool is_first = linear++ == 0;
    const NodeKind before = network.nodes()[static_cast<std::size_t>(node.inputs[0])].kind;
    CHECK(before == (is_first ? NodeKind::input : NodeKind::dropout));
  }
  CHECK(linear == 4);
  CHECK(dropouts == 3);
  for (const NamedTensor& t : initial_weights(network, {{.seed = 7}}, DType::f32)) {
    const auto* values = reinterpret_cast<const float*>(t.bytes.data());
    const std::size_t count = t.bytes.size() / sizeof(float);
    const float most =
        std::abs(*std::max_element(values, values + count, [](float a, float b) { return std::abs(a) < std::abs(b); }));
    CAPTURE(t.name);
    if (t.name.find("bias") != std::string::npos) CHECK(most == 0);
    if (t.name == "hidden.0.weight") CHECK(most == doctest::Approx(std::sqrt(6.0 / 70)).epsilon(0.02));
    if (t.name == "hidden.2.weight") CHECK(most == doctest::Approx(std::sqrt(6.0 / 80)).epsilon(0.02));
    if (t.name == "output.weight") CHECK(most == doctest::Approx(1e-4).epsilon(0.02));
  }
}

TEST_CASE("dgex training: five sets are watched, and two rules keep weights") {
  dgex::Config config;
  config.monitor_profiles = 20;

  const std::vector<Monitor> monitors = dgex::make_monitors(kParts, config, 3);
  const TrainerConfig trainer = dgex::make_trainer_config(dgex::make_network(4, 3, config), monitors, config);

  REQUIRE(monitors.size() == 3);  // there is no GTEx
  CHECK(monitors[0].cells.size() == 12);
  CHECK(monitors[1].cells == std::vector<std::int64_t>{72, 73, 74, 75, 76});
  const std::set<std::int64_t> watched(monitors[2].cells.begin(), monitors[2].cells.end());
  CHECK(watched.size() == 20);
  CHECK(*watched.rbegin() < 50);
  CHECK(trainer.phases[0].rate_on_rise.monitor == 2);
  CHECK(trainer.phases[0].keep.size() == 2);
  CHECK(trainer.phases[0].keep[1].monitor == 1);
  CHECK(trainer.batch == 200);
}

TEST_CASE("dgex training: a network without a 1000G set keeps weights by validation alone") {
  const dgex::Config config;
  const std::vector<dgex::Part> parts = {{"train", 0, 50}, {"validation", 50, 10}, {"test", 60, 0}};

  const std::vector<Monitor> monitors = dgex::make_monitors(parts, config, 0);

  CHECK(monitors.size() == 1);
  CHECK(dgex::make_trainer_config(dgex::make_network(4, 3, config), monitors, config).phases[0].keep.size() == 1);
}

TEST_CASE("dgex inference: the mean of the replicas, each as it is alone") {
  dgex::Config config;
  config.hidden = 6;
  const Network network = dgex::make_network(5, 4, config);
  ThreadPool pool(2);
  CpuContext ctx(&pool);
  const std::vector<NamedTensor> both = initial_weights(network, {{.seed = 1}, {.seed = 2}}, DType::f32);
  const std::vector<NamedTensor> second = initial_weights(network, {{.seed = 2}}, DType::f32);
  const std::vector<float> rows = {1, 2, 3, 4, 5, -1, 0, 1, 0.5f, 2, 0, 0, 0, 0, 1};

  dgex::Inference joint(ctx, network, 2, both), alone(ctx, network, 1, second);
  const std::vector<float> each = joint.each(rows.data(), 3), mean = joint.mean(rows.data(), 3);

  CHECK(std::vector<float>(each.begin() + 12, each.end()) == alone.mean(rows.data(), 3));
  CHECK(mean[5] == doctest::Approx((each[5] + each[17]) / 2));
  CHECK_THROWS_WITH_AS(joint.mean(rows.data(), 257), doctest::Contains("257 rows at once"), UsageError);
}

TEST_CASE("dgex config: values out of range are named") {
  dgex::Config config;
  config.dropout = 1;
  CHECK_THROWS_WITH_AS(dgex::check(config), doctest::Contains("train.dropout is 1"), UsageError);
  config = {};
  config.validation_fraction = 0;
  CHECK_THROWS_WITH_AS(dgex::check(config), doctest::Contains("split.validation"), UsageError);
}

// SPDX-License-Identifier: Apache-2.0
// What each class of precision does to the first step of every system, and to whole trainings.
#include "engine/precision.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/flat_tensor.h"
#include "models/dgex/training.h"
#include "models/initializer.h"
#include "models/mlp/network.h"
#include "models/mlp/training.h"
#include "models/scannonet/network.h"
#include "models/session.h"
#include "models/trainer.h"
#include "models/trainer_state.h"
#include "models/transbrain/network.h"
#include "tests/support/op_test.h"
#include "tests/support/toy_set.h"
#include "tests/support/trained_weights.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kRows = 48;

// A system at a small size: its network, its losses, and what they compare with.
struct System {
  std::string name;
  Network network;
  std::vector<LossSpec> losses;
  std::int64_t targets = 0;  // of a regression; else classes are compared
};

System scannonet_system() {
  const Network n = scannonet::make_network(83, 5, 0.0, {.squeeze = 20, .hidden = 24, .embedding = 12});
  return {"scannonet",
          n,
          {scannonet::classification(n), scannonet::discriminative(n, 10.0), scannonet::collinearity(n, 1.0)}};
}

System fly_system() {
  mlp::Config config;
  config.widths = {14, 10};
  config.dropout = 0;
  const Network n = mlp::make_network(83, 5, config);
  return {"fly", n, {mlp::classification(n)}};
}

System dgex_system() {
  dgex::Config config;
  config.layers = 2;
  config.hidden = 60;
  config.dropout = 0;
  const Network n = dgex::make_network(83, 40, config);
  return {"dgex", n, dgex::make_trainer_config(n, {{"train", {0}}}, config).phases.at(0).losses, 40};
}

System transbrain_system() {
  const Network n =
      transbrain::make_network({.inputs = 83, .hidden1 = 14, .hidden2 = 12, .hidden3 = 10, .outputs = 7}, 0.0);
  return {
      "transbrain",
      n,
      {{.kind = LossKind::cross_entropy, .name = "classification", .node = static_cast<int>(n.nodes().size()) - 1}}};
}

// The loss of the first step and its gradient in every parameter; which units are on, layer after layer.
struct Step {
  double loss = 0;
  std::vector<std::vector<double>> gradients;
  std::vector<bool> on;
};

template <class T>
Buffer upload(Context& ctx, const std::vector<double>& values) {
  const std::vector<T> cast_values(values.begin(), values.end());
  Buffer buffer(ctx, static_cast<std::int64_t>(cast_values.size() * sizeof(T)));
  ctx.copy_to_device(buffer.data(), cast_values.data(), buffer.bytes());
  return buffer;
}

std::vector<NamedTensor> widened(std::vector<NamedTensor> weights) {
  for (NamedTensor& t : weights) {
    std::vector<double> wide(t.bytes.size() / 4);
    for (std::size_t i = 0; i < wide.size(); ++i) {
      float x;
      std::memcpy(&x, t.bytes.data() + 4 * i, 4);
      wide[i] = x;
    }
    t.dtype = DType::f64;
    t.bytes.resize(wide.size() * 8);
    std::memcpy(t.bytes.data(), wide.data(), t.bytes.size());
  }
  return weights;
}

// Numbers that f32 holds, so that both types begin with the same.
std::vector<double> narrow_values(std::int64_t count, std::uint64_t seed, double low, double high) {
  std::vector<double> values = random_values(count, seed, low, high);
  for (double& v : values) v = static_cast<double>(static_cast<float>(v));
  return values;
}

template <class T>
Step first_step(Context& ctx, const System& s, std::uint64_t seed) {
  const DType dtype = DTypeOf<T>::value;
  const std::int64_t genes = s.network.input_width();
  const std::vector<NamedTensor> weights =
      initial_weights(s.network, {{.seed = static_cast<std::int64_t>(seed)}}, DType::f32);
  Session session(ctx, s.network, {.replicas = 1, .max_rows = kRows, .dtype = dtype});
  session.set_weights(dtype == DType::f64 ? widened(weights) : weights);
  LossSet losses(session, s.losses, 0.0, SmallBatch::guarded);
  const Buffer x = upload<T>(ctx, narrow_values(kRows * genes, 3 * seed, -1, 2)),
               index = upload<T>(ctx, narrow_values(genes, 3 * seed + 1, 0, 1));
  const Buffer y = upload<T>(ctx, narrow_values(kRows * s.targets, 3 * seed + 2, -2, 2));
  const DeviceArray labels(ctx, {1, kRows}, random_labels(kRows, 5, seed));
  LossTargets with = {.labels = labels, .index = Tensor{index.data(), dtype, {1, genes}}};
  if (s.targets > 0) with = {.targets = Tensor{y.data(), dtype, {1, kRows, s.targets}}};

  ctx.copy_within(session.input(kRows).data, x.data(), x.bytes());
  session.forward(kRows, Mode::training, losses.nodes());
  session.begin_backward();
  losses.run(kRows, with);
  session.backward(kRows, Mode::training);

  Step step;
  const LossSet::Sums sums = losses.take_sums();
  for (std::size_t i = 0; i < s.losses.size(); ++i)
    step.loss += s.losses[i].weight * sums.loss[i][0] / static_cast<double>(kRows);
  for (std::size_t i = 0; i < s.network.parameters().size(); ++i)
    step.gradients.push_back(download(ctx, session.parameter_gradient(i)));
  for (std::size_t node = 0; node < s.network.nodes().size(); ++node)
    if (s.network.nodes()[node].kind == NodeKind::relu)
      for (const double value : download(ctx, session.value(static_cast<int>(node), 0, kRows)))
        step.on.push_back(value > 0);
  return step;
}

double relative_error(const std::vector<double>& got, const std::vector<double>& want) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    size += want[i] * want[i];
  }
  return std::sqrt(difference / size);
}

// Learned, and not in vain: the bias before a batch norm has no gradient but rounding.
bool counts(const System& s, const ParameterSpec& p) {
  if (p.role != ParameterRole::learned) return false;
  const NodeSpec& node = s.network.nodes()[static_cast<std::size_t>(p.node)];
  if (node.kind != NodeKind::linear || p.shape.size() != 1) return true;
  for (const NodeSpec& next : s.network.nodes())
    if (next.kind == NodeKind::batch_norm && next.inputs.at(0) == p.node) return false;
  return true;
}

struct Gate {
  Precision precision;
  double limit;
};
// Relative L2 against f64 of the loss and of the worst gradient.
constexpr Gate kGates[] = {
    {Precision::fp32, 1e-5}, {Precision::tf32x3, 1e-5}, {Precision::tf32, 1e-3}, {Precision::bf16, 1e-2}};

// The error of the loss and of the worst gradient in a class, against f64.
struct Errors {
  double loss = 0, gradient = 0;
};

Errors errors_of(const System& s, const Step& step, const Step& exact) {
  Errors errors = {std::fabs(step.loss - exact.loss) / std::fabs(exact.loss), 0};
  for (std::size_t i = 0; i < exact.gradients.size(); ++i)
    if (counts(s, s.network.parameters()[i]))
      errors.gradient = std::max(errors.gradient, relative_error(step.gradients[i], exact.gradients[i]));
  return errors;
}

// Of batches and first weights drawn one after the other, `kBatches` in which no unit is off in one of the two and on
// in the other: at its kink the derivative of a ReLU jumps, and what is carried over it by the smallest error has all
// of it wrong. The median of each error.
constexpr std::size_t kBatches = 5;
Errors median_errors(Context& ctx, const System& s, Precision precision) {
  std::vector<double> loss, gradient;
  for (std::uint64_t seed = 1; seed <= 200 && loss.size() < kBatches; ++seed) {
    ctx.precision = Precision::fp32;
    const Step exact = first_step<double>(ctx, s, seed);
    ctx.precision = precision;
    const Step step = first_step<float>(ctx, s, seed);
    ctx.precision = Precision::fp32;
    if (step.on != exact.on) continue;
    const Errors errors = errors_of(s, step, exact);
    loss.push_back(errors.loss);
    gradient.push_back(errors.gradient);
  }
  REQUIRE(loss.size() == kBatches);
  std::sort(loss.begin(), loss.end());
  std::sort(gradient.begin(), gradient.end());
  return {loss[kBatches / 2], gradient[kBatches / 2]};
}

TrainerConfig bf16_config(const Network& network) {
  mlp::Config config;
  config.batch = 16;
  config.epochs = 8;
  config.learning_rate = 3e-3;
  config.moments = "bf16";
  return mlp::make_trainer_config(network, config);
}

Network toy_network(const TrainingSet& set) {
  mlp::Config config;
  config.widths = {11, 7};
  config.dropout = 0.2;
  return mlp::make_network(set.genes(), set.classes, config);
}

}  // namespace

TEST_CASE("precision: the first step of every system is within the class's error of f64, and of no better class") {
  on_every_device([](Context& ctx) {
    for (const System& s : {scannonet_system(), fly_system(), dgex_system(), transbrain_system()}) {
      CAPTURE(s.name);
      for (const Gate& gate : kGates) {
        CAPTURE(std::string(name_of(gate.precision)));

        const Errors errors = median_errors(ctx, s, gate.precision);

        CHECK(errors.loss <= gate.limit);
        CHECK(errors.gradient <= gate.limit);
        if (gate.precision == Precision::tf32) CHECK(errors.gradient > 1e-5);
        if (gate.precision == Precision::bf16) CHECK(errors.gradient > 1e-3);
      }
    }
  });
}

TEST_CASE("precision: a session in bf16 gives back every bit of its weights") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 1);
    const Network network = toy_network(set);
    const std::vector<NamedTensor> weights = initial_weights(network, {{.seed = 4}, {.seed = 5}}, DType::f32);
    ctx.precision = Precision::bf16;
    Session session(ctx, network, {.replicas = 2, .max_rows = 8});

    session.set_weights(weights);

    CHECK(session.parameter(0).dtype == DType::bf16);  // products read them without a cast
    const std::vector<NamedTensor> back = session.weights();
    for (std::size_t i = 0; i < weights.size(); ++i) CHECK(back[i].bytes == weights[i].bytes);
    const Buffer other(ctx, session.flat_size() * 4);
    ctx.fill_bytes(other.data(), 0, other.bytes());
    session.copy_replica(1, other.data(), session.flat_weights().data);
    const Tensor copy = {other.data(), DType::f32, {session.flat_size()}};
    const NamedTensor all = session.saved_weights("w", session.flat_weights()), one = session.saved_weights("w", copy);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const auto size = static_cast<std::ptrdiff_t>(network.parameters()[i].size * 4);
      const auto at = static_cast<std::ptrdiff_t>(session.parameter_offset(i) * 4);
      CHECK(std::equal(weights[i].bytes.begin(), weights[i].bytes.end(), all.bytes.begin() + at));
      CHECK(std::equal(weights[i].bytes.begin() + size, weights[i].bytes.end(), one.bytes.begin() + at + size));
      CHECK(std::all_of(one.bytes.begin() + at, one.bytes.begin() + at + size,
                        [](std::byte b) { return b == std::byte{0}; }));
    }
    ctx.precision = Precision::fp32;
  });
}

TEST_CASE("precision: training in bf16 with bf16 moments learns, other bits than in fp32, joint replicas as alone") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 1);
    const Network network = toy_network(set);
    const std::vector<ReplicaTask> tasks = toy_replicas(set, 3, 100);
    const auto train = [&](const std::vector<ReplicaTask>& of) {
      Trainer trainer(ctx, network, set, of, bf16_config(network), {});
      trainer.run();
      const std::vector<EpochRecord>& history = trainer.history();  // all replicas of an epoch, then the next
      for (std::size_t k = 0; k < of.size(); ++k)
        CHECK(history[history.size() - of.size() + k].losses[0] < 0.8 * history[k].losses[0]);
      return trainer.weights();
    };
    const std::vector<NamedTensor> narrow_moments = train({tasks[0]});
    ctx.precision = Precision::bf16;

    const std::vector<NamedTensor> joint = train(tasks);

    for (std::size_t k = 0; k < tasks.size(); ++k) expect_same_replica(joint, k, train({tasks[k]}));
    CHECK(narrow_moments[0].bytes != train({tasks[0]})[0].bytes);
    ctx.precision = Precision::fp32;
  });
}

TEST_CASE("precision: in bf16 with bf16 moments a resumed run, also of fewer replicas, has the bits of the whole one") {
  on_every_device([](Context& ctx) {
    const TrainingSet set = toy_training_set({}, 2);
    const Network network = toy_network(set);
    const std::vector<ReplicaTask> tasks = toy_replicas(set, 3, 42);
    const TrainerConfig config = bf16_config(network);
    ctx.precision = Precision::bf16;
    Trainer whole(ctx, network, set, tasks, config, {});
    whole.run();
    Trainer first(ctx, network, set, tasks, config, {});
    first.run_to(2);
    const Trainer::State state = first.state();

    Trainer all(ctx, network, set, tasks, config, {}), two(ctx, network, set, {tasks[0], tasks[2]}, config, {});
    all.resume(state);
    all.run();
    two.resume(state_of_replicas(state, network, {0, 2}));
    two.run();

    const std::vector<NamedTensor> want = whole.weights(), got = all.weights(), fewer = two.weights();
    for (std::size_t i = 0; i < want.size(); ++i) {
      CHECK(got[i].bytes == want[i].bytes);
      const auto each = static_cast<std::ptrdiff_t>(want[i].bytes.size() / 3);
      CHECK(std::equal(fewer[i].bytes.begin(), fewer[i].bytes.begin() + each, want[i].bytes.begin()));
      CHECK(std::equal(fewer[i].bytes.begin() + each, fewer[i].bytes.end(), want[i].bytes.begin() + 2 * each));
    }
    ctx.precision = Precision::fp32;
  });
}

TEST_CASE("precision: a loss that is not finite is told of in bf16 too, where the weights are looked at in halves") {
  on_every_device([](Context& ctx) {
    TrainingSet set = toy_training_set({}, 2);
    for (float& value : set.data.value) value = std::numeric_limits<float>::quiet_NaN();
    const Network network = toy_network(set);
    ctx.precision = Precision::bf16;
    {
      Trainer trainer(ctx, network, set, toy_replicas(set, 1, 1), bf16_config(network), {});
      CHECK_THROWS_WITH_AS(trainer.run(), doctest::Contains("not finite"), RuntimeError);
    }
    ctx.precision = Precision::fp32;
  });
}

TEST_CASE("precision: bf16 moments of f64 weights are refused") {
  CpuContext ctx;
  const TrainingSet set = toy_training_set({}, 2);
  const Network network = toy_network(set);
  TrainerConfig config = bf16_config(network);
  config.dtype = DType::f64;
  Trainer trainer(ctx, network, set, toy_replicas(set, 1, 1), config, {});

  CHECK_THROWS_WITH_AS(trainer.run(), doctest::Contains("train.moments is bf16, but weights are f64"), UsageError);
}

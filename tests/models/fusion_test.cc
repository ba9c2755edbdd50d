// SPDX-License-Identifier: Apache-2.0
#include "models/fusion.h"

#include <cmath>
#include <functional>
#include <string>

#include "engine/error.h"
#include "engine/flat_tensor.h"
#include "models/dgex/training.h"
#include "models/initializer.h"
#include "models/loss.h"
#include "models/mlp/network.h"
#include "models/optimizer.h"
#include "models/scannonet/network.h"
#include "models/session.h"
#include "models/transbrain/network.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kRows = 70, kGenes = 37, kOutputs = 5, kReplicas = 2;

// A system's network with its losses and optimizer, as small as it can be without being simple.
struct System {
  std::string name;
  Network network;
  std::vector<LossSpec> losses;
  OptimizerConfig::Kind optimizer = OptimizerConfig::Kind::adam;
};

System scannonet_system() {
  const Network n = scannonet::make_network(kGenes, kOutputs, 0.5, {.squeeze = 6, .hidden = 24, .embedding = 17});
  return {"scannonet",
          n,
          {scannonet::classification(n), scannonet::discriminative(n, 3.0), scannonet::collinearity(n, 0.5)}};
}

System fly_system() {
  mlp::Config config;
  config.widths = {40, 33};
  const Network n = mlp::make_network(kGenes, kOutputs, config);
  return {"fly", n, {mlp::classification(n)}};
}

System convolution_system() {
  mlp::Config config;
  config.widths = {16};
  config.conv_channels = {3, 4};
  config.conv_width = {5};
  config.conv_pool = {2, 1};
  config.activation = "tanh";
  config.dropout = 0.5;
  const Network n = mlp::make_network(kGenes, kOutputs, config);
  return {"mlp with convolutions", n, {mlp::classification(n)}, OptimizerConfig::Kind::sgd};
}

System transbrain_system() {
  const Network n = transbrain::make_network({kGenes, 20, 21, 12, kOutputs}, 0.1);
  LossSpec loss = {.kind = LossKind::cross_entropy, .name = "cross_entropy"};
  loss.node = n.find("output");
  loss.counts_hits = true;
  return {"transbrain", n, {loss}, OptimizerConfig::Kind::adamw};
}

System dgex_system(double dropout) {
  dgex::Config config;
  config.layers = 2;
  config.hidden = 36;
  config.dropout = dropout;
  const Network n = dgex::make_network(kGenes, kOutputs, config);
  LossSpec loss = {.kind = LossKind::regression, .name = "squared"};
  loss.node = static_cast<int>(n.nodes().size()) - 1;
  return {"dgex", n, {loss}, OptimizerConfig::Kind::sgd};
}

// One session's training on random data.
class Run {
 public:
  Run(Context& ctx, const System& system, Fusion fusion, DType dtype)
      : ctx_(ctx),
        session_(ctx, system.network, {.replicas = kReplicas, .max_rows = kRows, .dtype = dtype, .fusion = fusion}),
        losses_(session_, system.losses, 0.1, SmallBatch::guarded),
        optimizer_(session_),
        labels_(ctx, {kReplicas, kRows}, random_labels(kReplicas * kRows, kOutputs, 3)),
        targets_(uploaded({kReplicas, kRows, kOutputs}, 4)),
        index_(uploaded({kReplicas, kGenes}, 5)) {
    session_.set_weights(initial_weights(system.network, {{.seed = 4}, {.seed = 9}}, dtype));
    session_.set_seeds({11, 12});
    optimizer_.begin({.config = {.kind = system.optimizer, .weight_decay = 1e-3},
                      .learning_rate = {0.01, 0.02},
                      .weight_decay = {1e-3, 1e-3},
                      .trainable = {}});
  }

  void forward_and_backward(std::uint64_t data) {
    feed(data);
    LossTargets targets;
    targets.labels = labels_;
    targets.targets = *targets_;
    targets.index = *index_;
    losses_.prepare(targets);
    session_.forward(kRows, Mode::training, losses_.nodes());
    session_.begin_backward();
    losses_.run(kRows, targets);
    session_.backward(kRows, Mode::training);
  }
  void update() { optimizer_.step(); }
  std::vector<double> output(Mode mode) {
    if (mode == Mode::inference) session_.forward(kRows, mode);
    return download(ctx_, session_.value(static_cast<int>(session_.network().nodes().size()) - 1, 0, kRows));
  }
  LossSet::Sums sums() { return losses_.take_sums(); }
  std::vector<double> gradient(std::size_t i) { return download(ctx_, session_.parameter_gradient(i)); }
  std::vector<double> weight(std::size_t i) { return download(ctx_, session_.parameter(i)); }
  Session& session() { return session_; }

 private:
  std::unique_ptr<DeviceArray> uploaded(const Shape& shape, std::uint64_t seed) {
    const std::vector<double> values = random_values(shape.elements(), seed);
    if (session_.options().dtype == DType::f64) return std::make_unique<DeviceArray>(ctx_, shape, values);
    return std::make_unique<DeviceArray>(ctx_, shape, cast<float>(values));
  }
  void feed(std::uint64_t seed) {
    const Tensor input = session_.input(kRows);
    const std::vector<double> x = random_values(input.shape.elements(), seed, -2, 2);
    const std::vector<float> narrow = cast<float>(x);
    ctx_.copy_to_device(input.data, input.dtype == DType::f64 ? static_cast<const void*>(x.data()) : narrow.data(),
                        input.shape.elements() * size_of(input.dtype));
  }

  Context& ctx_;
  Session session_;
  LossSet losses_;
  Optimizer optimizer_;
  DeviceArray labels_;
  std::unique_ptr<DeviceArray> targets_, index_;
};

// The first value that differs, by ==, so that zeros may differ in sign; -1: none.
std::ptrdiff_t first_difference(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(a[i] == b[i])) return static_cast<std::ptrdiff_t>(i);
  return a.size() == b.size() ? -1 : 0;
}

using Same = std::function<void(const std::vector<double>&, const std::vector<double>&)>;

// Forward, gradients and 20 steps of both sessions, compared at each.
void compare(Context& ctx, const System& system, DType dtype, const Same& same) {
  CAPTURE(system.name);
  Run fused(ctx, system, Fusion::chains, dtype), apart(ctx, system, Fusion::none, dtype);
  CHECK(fused.session().bytes() < apart.session().bytes());
  const std::size_t parameters = system.network.parameters().size();
  for (std::uint64_t step = 0; step < 20; ++step) {
    CAPTURE(step);
    fused.forward_and_backward(20 + step);
    apart.forward_and_backward(20 + step);
    same(fused.output(Mode::training), apart.output(Mode::training));
    for (std::size_t i = 0; i < parameters; ++i) {
      CAPTURE(system.network.parameters()[i].name);
      if (system.network.parameters()[i].role == ParameterRole::learned) same(fused.gradient(i), apart.gradient(i));
    }
    fused.update();
    apart.update();
  }
  for (std::size_t i = 0; i < parameters; ++i) {
    CAPTURE(system.network.parameters()[i].name);
    same(fused.weight(i), apart.weight(i));
  }
  same(fused.output(Mode::inference), apart.output(Mode::inference));
  const LossSet::Sums together = fused.sums(), one_by_one = apart.sums();
  for (std::size_t i = 0; i < system.losses.size(); ++i)  // a loss inside a gate is added up in another order on CUDA
    expect_close(together.loss[i], one_by_one.loss[i], {.k = 1024, .scale = 1});
}

std::vector<std::string> names(const Network& network, const std::vector<Chain>& chains) {
  std::vector<std::string> lines;
  const auto name = [&](int node) { return network.nodes()[static_cast<std::size_t>(node)].name; };
  for (const Chain& c : chains) {
    std::string line = name(c.source);
    for (const int node : {c.norm, c.activation, c.dropout})
      if (node >= 0) line += " " + name(node);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("fusion: every system's layers become chains, its network stays as it is") {
  const auto chains = [](const System& s, DropoutNodes dropout) {
    return names(s.network, find_chains(s.network, {}, dropout));
  };
  using Names = std::vector<std::string>;
  CHECK(chains(scannonet_system(), DropoutNodes::run) ==
        Names{"gate.0 tanh_2 dropout_3", "hidden.0 relu_7 dropout_8", "hidden.1 relu_10 dropout_11"});
  CHECK(chains(scannonet_system(), DropoutNodes::skipped) ==
        Names{"gate.0 tanh_2", "hidden.0 relu_7", "hidden.1 relu_10"});
  CHECK(chains(fly_system(), DropoutNodes::run) ==
        Names{"hidden.0 hidden.0.norm relu_3 dropout_4", "hidden.1 hidden.1.norm relu_7 dropout_8"});
  CHECK(chains(transbrain_system(), DropoutNodes::run) ==
        Names{"hidden1 relu_2", "hidden2 relu_4", "hidden3 relu_6 row_dropout_7"});
  CHECK(chains(dgex_system(0.1), DropoutNodes::run).size() == 2);
  CHECK(chains(convolution_system(), DropoutNodes::run).size() == 3);
}

TEST_CASE("fusion: what somebody else reads ends a chain, or begins none") {
  const System s = transbrain_system();
  const int embedding = transbrain::embedding_node(s.network), product = s.network.find("hidden1");

  const std::vector<std::string> found =
      names(s.network, find_chains(s.network, {embedding, product}, DropoutNodes::run));

  CHECK(found == std::vector<std::string>{"hidden2 relu_4", "hidden3 relu_6"});

  Network twice;
  const Node x = twice.input("x", 4), product_twice = twice.linear("product", x, 4);
  twice.relu(product_twice);
  twice.tanh(product_twice);
  CHECK(find_chains(twice, {}, DropoutNodes::run).empty());
}

TEST_CASE("fusion: a value inside a chain is refused unless it was named") {
  CpuContext ctx;
  const System s = transbrain_system();
  const int embedding = transbrain::embedding_node(s.network);
  Session plain(ctx, s.network, {.max_rows = 4});
  Session named(ctx, s.network, {.max_rows = 4, .read = {embedding}});
  const std::vector<float> x(static_cast<std::size_t>(4 * kGenes), 1.0f);
  for (Session* session : {&plain, &named}) ctx.copy_to_device(session->input(4).data, x.data(), 4 * kGenes * 4);

  CHECK_THROWS_WITH_AS(plain.forward(4, Mode::training, {embedding}), doctest::Contains("'relu_6' are lost in a chain"),
                       UsageError);
  CHECK_NOTHROW(plain.forward(4, Mode::inference, {embedding}));  // where dropout does nothing
  CHECK_NOTHROW(named.forward(4, Mode::training, {embedding}));
  CHECK_THROWS_AS(plain.forward(4, Mode::inference, {s.network.find("hidden1")}), UsageError);
}

TEST_CASE("fusion: 20 steps of every system give the numbers of nodes computed one by one") {
  on_every_device([](Context& ctx) {
    const Same exact = [](const std::vector<double>& a, const std::vector<double>& b) {
      CHECK(first_difference(a, b) == -1);
    };
    for (const System& s :
         {scannonet_system(), fly_system(), transbrain_system(), dgex_system(0.5), convolution_system()})
      compare(ctx, s, DType::f32, exact);
  });
}

// Backward finds tanh(x) again from the output y as y (1 - p), which is rounded once more unless 1 - p is a power of
// two.
TEST_CASE("fusion: with tanh and a rate that is no power of two both agree to rounding") {
  on_every_device([](Context& ctx) {
    const Same close = [](const std::vector<double>& a, const std::vector<double>& b) {
      expect_close(a, b, {.k = 4096, .scale = 1});  // 20 steps, each of a few hundred roundings
    };
    compare(ctx, dgex_system(0.1), DType::f64, close);
  });
}

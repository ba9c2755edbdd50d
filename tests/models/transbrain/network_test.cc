// SPDX-License-Identifier: Apache-2.0
// The whole network against PyTorch: loss, every gradient, and 20 AdamW steps with row dropout (tests/golden).
#include "models/transbrain/network.h"

#include <cmath>

#include "engine/flat_tensor.h"
#include "models/loss.h"
#include "models/optimizer.h"
#include "models/session.h"
#include "tests/support/golden.h"
#include "tests/support/golden_network.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;
using transbrain::embedding_node;
using transbrain::make_network;

namespace {

// The run of the golden file on one device.
class GoldenRun {
 public:
  GoldenRun(Context& ctx, DType dtype)
      : ctx_(ctx),
        cases_(golden_cases("transbrain")),
        batch_(sizes().size("batch")),
        genes_(sizes().size("genes")),
        network_(make_network({.inputs = genes_,
                               .hidden1 = sizes().size("hidden1"),
                               .hidden2 = sizes().size("hidden2"),
                               .hidden3 = sizes().size("hidden3"),
                               .outputs = sizes().size("classes")},
                              sizes().number("rate"))),
        session_(
            ctx, network_,
            {.replicas = 1, .max_rows = sizes().size("cells"), .dtype = dtype, .read = {embedding_node(network_)}}),
        losses_(session_, {{.kind = LossKind::cross_entropy, .node = static_cast<int>(network_.nodes().size()) - 1}},
                0.0, SmallBatch::guarded),
        optimizer_(session_) {
    session_.set_weights(golden_weights(network_, part("run"), dtype));
    session_.set_seeds({sizes().size("seed")});
    OptimizerConfig config;
    config.kind = OptimizerConfig::Kind::adamw;
    optimizer_.begin({.config = config,
                      .learning_rate = {sizes().number("lr")},
                      .weight_decay = {sizes().number("weight_decay")},
                      .decay = sizes().number("decay_factor"),
                      .decay_steps = sizes().size("decay_every"),
                      .trainable = {}});
    session_.set_step(0);
  }

  const GoldenCase& part(const std::string& name) const {
    for (const GoldenCase& c : cases_)
      if (c.name() == name) return c;
    FAIL("the golden file has no part '" << name << "'");
    return cases_.front();
  }
  const GoldenCase& sizes() const { return part("sizes"); }
  const Network& network() const { return network_; }

  // The loss of step `i` before its update; gradients are in the session.
  double gradients_of(std::size_t i) {
    const std::vector<std::int32_t> rows = part("run").labels("rows"), labels = part("data").labels("labels");
    std::vector<std::int32_t> truth;
    std::vector<std::int64_t> chosen;
    for (std::int64_t b = 0; b < batch_; ++b) {
      chosen.push_back(rows[i * static_cast<std::size_t>(batch_) + static_cast<std::size_t>(b)]);
      truth.push_back(labels[static_cast<std::size_t>(chosen.back())]);
    }
    upload(chosen);
    const DeviceArray label(ctx_, {1, batch_}, truth);
    session_.forward(batch_, Mode::training, losses_.nodes());
    check_mask(i);
    session_.begin_backward();
    losses_.run(batch_, {.labels = label});
    session_.backward(batch_, Mode::training);
    return losses_.take_sums().loss[0][0] / static_cast<double>(batch_);
  }
  void update() { optimizer_.step(); }
  std::vector<double> gradient(std::size_t i) { return download(ctx_, session_.parameter_gradient(i)); }
  std::vector<double> weight(std::size_t i) { return download(ctx_, session_.parameter(i)); }

  std::vector<double> embedding() {
    std::vector<std::int64_t> all;
    for (std::int64_t c = 0; c < sizes().size("cells"); ++c) all.push_back(c);
    upload(all);
    const int node = embedding_node(network_);
    session_.forward(static_cast<std::int64_t>(all.size()), Mode::inference, {node});
    return download(ctx_, session_.value(node, 0, static_cast<std::int64_t>(all.size())));
  }

 private:
  void upload(const std::vector<std::int64_t>& cells) {
    const std::vector<float> x = cast<float>(part("data")["x"]);
    std::vector<float> narrow;
    for (const std::int64_t c : cells)
      narrow.insert(narrow.end(), x.begin() + c * genes_, x.begin() + (c + 1) * genes_);
    const std::vector<double> wide(narrow.begin(), narrow.end());
    const Tensor to = session_.input(static_cast<std::int64_t>(cells.size()));
    ctx_.copy_to_device(to.data, to.dtype == DType::f64 ? static_cast<const void*>(wide.data()) : narrow.data(),
                        static_cast<std::int64_t>(wide.size()) * size_of(to.dtype));
  }

  // Rows are dropped whole, and those that the golden file says.
  void check_mask(std::size_t step) {
    const int dropout = network_.nodes().back().inputs[0];
    const std::vector<double> in = download(ctx_, session_.value(embedding_node(network_), 0, batch_)),
                              out = download(ctx_, session_.value(dropout, 0, batch_));
    const std::vector<double>& kept = part("run")["kept"];
    const double scale = 1 / (1 - sizes().number("rate"));
    const std::size_t width = in.size() / static_cast<std::size_t>(batch_);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double factor = scale * kept[step * static_cast<std::size_t>(batch_) + i / width];
      REQUIRE(out[i] == doctest::Approx(factor * in[i]).epsilon(1e-6));
    }
  }

  Context& ctx_;
  std::vector<GoldenCase> cases_;
  std::int64_t batch_, genes_;
  Network network_;
  Session session_;
  LossSet losses_;
  Optimizer optimizer_;
};

void check_against_golden(Context& ctx, DType dtype) {
  GoldenRun run(ctx, dtype);
  const GoldenCase& golden = run.part("run");
  const double first_bound = dtype == DType::f64 ? 1e-12 : 1e-5, late_bound = dtype == DType::f64 ? 1e-10 : 1e-3;
  const std::vector<double>& expected = golden["loss"];
  for (std::size_t step = 0; step < expected.size(); ++step) {
    CAPTURE(step);
    const double loss = run.gradients_of(step);
    CHECK(std::abs(loss - expected[step]) <= (step == 0 ? first_bound : late_bound) * expected[step]);
    for (std::size_t i = 0; step == 0 && i < run.network().parameters().size(); ++i) {
      const std::string& name = run.network().parameters()[i].name;
      CAPTURE(name);
      CHECK(relative_distance(run.gradient(i), golden["gradient/" + name]) <= first_bound);
    }
    run.update();
    if (dtype != DType::f64 || (step + 1 != 10 && step + 1 != 20)) continue;
    for (std::size_t i = 0; i < run.network().parameters().size(); ++i) {
      const std::string& name = run.network().parameters()[i].name;
      CAPTURE(name);
      CHECK(relative_distance(run.weight(i), golden["after" + std::to_string(step + 1) + "/" + name]) <= late_bound);
    }
  }
  CHECK(relative_distance(run.embedding(), golden["embedding"]) <= late_bound);
}

}  // namespace

TEST_CASE("transbrain: loss, gradients and 20 AdamW steps follow PyTorch in fp64") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, DType::f64); });
}

TEST_CASE("transbrain: in fp32 loss and gradients of the first step and the losses after stay close") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, DType::f32); });
}

TEST_CASE("transbrain: the published networks have the published numbers of parameters") {
  CHECK(make_network({.inputs = 4542, .outputs = 105}, 0.1).parameter_count() == 2'825'105);
  CHECK(make_network({.inputs = 5063, .outputs = 22}, 0.1).parameter_count() == 3'044'022);
  CHECK(make_network({.inputs = 5451, .outputs = 127}, 0.1).parameter_count() == 3'290'627);
}

TEST_CASE("transbrain: parameters come in the published order") {
  const Network network = make_network({.inputs = 3, .outputs = 2}, 0.1);
  std::vector<std::string> names;
  for (const ParameterSpec& p : network.parameters()) names.push_back(p.name);

  CHECK(names == std::vector<std::string>{"hidden1.weight", "hidden1.bias", "hidden2.weight", "hidden2.bias",
                                          "hidden3.weight", "hidden3.bias", "output.weight", "output.bias"});
}

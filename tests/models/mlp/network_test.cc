// SPDX-License-Identifier: Apache-2.0
// The fly classifier's network against PyTorch: loss, every gradient, 20 steps of Adam with L2 through batch norm, and
// the running statistics (tests/golden).
#include "models/mlp/network.h"

#include <cmath>

#include "engine/flat_tensor.h"
#include "models/mlp/training.h"
#include "models/optimizer.h"
#include "tests/support/golden.h"
#include "tests/support/golden_network.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

// The run of the golden file on one device.
class GoldenRun {
 public:
  GoldenRun(Context& ctx, const std::string& file, DType dtype)
      : ctx_(ctx),
        cases_(golden_cases(file)),
        genes_(part("sizes").size("genes")),
        network_(mlp::make_network(genes_, part("sizes").size("classes"), config())),
        session_(ctx, network_, {.replicas = 1, .max_rows = part("sizes").size("cells"), .dtype = dtype}),
        losses_(session_, {mlp::classification(network_)}, 0.0, SmallBatch::guarded),
        optimizer_(session_) {
    session_.set_weights(golden_weights(network_, part("run"), dtype));
    optimizer_.begin({.config = mlp::make_trainer_config(network_, config()).phases[0].optimizer,
                      .learning_rate = {part("sizes").number("lr")},
                      .weight_decay = {part("sizes").number("weight_decay")},
                      .trainable = {}});
  }

  const GoldenCase& part(const std::string& name) const {
    for (const GoldenCase& c : cases_)
      if (c.name() == name) return c;
    FAIL("the golden file has no part '" << name << "'");
    return cases_.front();
  }
  const Network& network() const { return network_; }

  // The loss of step `i` before its update; gradients are in the session.
  double gradients_of(std::size_t i) {
    const auto batch = static_cast<std::size_t>(part("sizes").size("batch"));
    const std::vector<std::int32_t> rows = part("run").labels("rows"), labels = part("data").labels("labels");
    const std::vector<std::int32_t> chosen(rows.begin() + static_cast<std::ptrdiff_t>(i * batch),
                                           rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * batch));
    std::vector<std::int32_t> truth;
    for (const std::int32_t c : chosen) truth.push_back(labels[static_cast<std::size_t>(c)]);
    const auto n = static_cast<std::int64_t>(batch);
    const DeviceArray label(ctx_, {1, n}, truth);
    upload(chosen);
    session_.forward(n, Mode::training, losses_.nodes());
    session_.begin_backward();
    losses_.run(n, {.labels = label});
    session_.backward(n, Mode::training);
    return losses_.take_sums().loss[0][0] / static_cast<double>(n);
  }
  void update() { optimizer_.step(); }
  std::vector<double> gradient(std::size_t i) { return download(ctx_, session_.parameter_gradient(i)); }
  std::vector<double> weight(std::size_t i) { return download(ctx_, session_.parameter(i)); }

  std::vector<double> logits() {
    std::vector<std::int32_t> all;
    for (std::int32_t c = 0; c < part("sizes").size("cells"); ++c) all.push_back(c);
    upload(all);
    const auto n = static_cast<std::int64_t>(all.size());
    session_.forward(n, Mode::inference);
    return download(ctx_, session_.value(network_.find("output"), 0, n));
  }

 private:
  mlp::Config config() const {
    mlp::Config c;
    c.widths = {part("sizes").size("hidden0"), part("sizes").size("hidden1")};
    c.dropout = 0;
    if (!part("sizes").has("channels")) return c;
    const auto whole = [&](const char* name) {
      const std::vector<double>& values = part("sizes")[name];
      return std::vector<std::int64_t>(values.begin(), values.end());
    };
    c.conv_channels = whole("channels");
    c.conv_width = whole("width");
    c.conv_stride = whole("stride");
    c.conv_pool = {2};
    return c;
  }
  void upload(const std::vector<std::int32_t>& cells) {
    const std::vector<double>& x = part("data")["x"];
    std::vector<float> narrow;
    for (const std::int32_t c : cells)
      narrow.insert(narrow.end(), x.begin() + c * genes_, x.begin() + (c + 1) * genes_);
    const std::vector<double> wide(narrow.begin(), narrow.end());
    const Tensor to = session_.input(static_cast<std::int64_t>(cells.size()));
    ctx_.copy_to_device(to.data, to.dtype == DType::f64 ? static_cast<const void*>(wide.data()) : narrow.data(),
                        static_cast<std::int64_t>(wide.size()) * size_of(to.dtype));
  }

  Context& ctx_;
  std::vector<GoldenCase> cases_;
  std::int64_t genes_;
  Network network_;
  Session session_;
  LossSet losses_;
  Optimizer optimizer_;
};

// Batch norm takes away any constant, so the bias before it has no gradient but rounding.
bool has_no_gradient(const std::string& name) {
  return name.ends_with(".bias") && !name.ends_with(".norm.bias") && name != "output.bias";
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

void check_against_golden(Context& ctx, const std::string& file, DType dtype) {
  GoldenRun run(ctx, file, dtype);
  const GoldenCase& golden = run.part("run");
  const bool wide = dtype == DType::f64;
  const double first_bound = wide ? 1e-12 : 1e-5, late_bound = wide ? 1e-10 : 1e-3;
  const std::vector<double>& expected = golden["loss"];
  const std::vector<ParameterSpec>& parameters = run.network().parameters();
  for (std::size_t step = 0; step < expected.size(); ++step) {
    CAPTURE(step);
    const double loss = run.gradients_of(step);
    CHECK(std::abs(loss - expected[step]) <= (step == 0 ? first_bound : late_bound) * expected[step]);
    for (std::size_t i = 0; step == 0 && i < parameters.size(); ++i) {
      if (parameters[i].role != ParameterRole::learned) continue;
      CAPTURE(parameters[i].name);
      // A sum over rows and positions of what adds up to zero: its rounding grows with their number.
      const NodeSpec& node = run.network().nodes()[static_cast<std::size_t>(parameters[i].node)];
      const double terms = node.channels > 0 ? static_cast<double>(node.positions()) : 1;
      if (has_no_gradient(parameters[i].name))
        CHECK(largest(run.gradient(i)) <= terms * (wide ? 1e-15 : 1e-6));
      else
        CHECK(relative_distance(run.gradient(i), golden["gradient/" + parameters[i].name]) <= first_bound);
    }
    run.update();
  }
  if (!wide) return;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CAPTURE(parameters[i].name);
    CHECK(relative_distance(run.weight(i), golden["after20/" + parameters[i].name]) <= late_bound);
  }
  CHECK(relative_distance(run.logits(), golden["logits"]) <= late_bound);
}

}  // namespace

TEST_CASE("mlp: loss, gradients, 20 steps of Adam with L2 and running statistics follow PyTorch in fp64") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, "mlp", DType::f64); });
}

TEST_CASE("mlp: in fp32 loss and gradients of the first step and the losses after stay close") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, "mlp", DType::f32); });
}

TEST_CASE("mlp: with convolutions along the genes it follows PyTorch likewise") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, "mlp_convolution", DType::f64); });
  on_every_device([](Context& ctx) { check_against_golden(ctx, "mlp_convolution", DType::f32); });
}

// SPDX-License-Identifier: Apache-2.0
// The whole network against PyTorch: losses, every gradient, and 20 and 25 Adam steps of both phases (tests/golden).
#include "models/scannonet/network.h"

#include <cmath>
#include <cstring>

#include "engine/flat_tensor.h"
#include "models/optimizer.h"
#include "models/session.h"
#include "tests/support/golden.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

double norm(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

// ||a - b|| / ||b||; NaN where either is not finite.
double relative_distance(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  std::vector<double> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return norm(difference) / norm(b);
}

struct Golden {
  std::vector<GoldenCase> cases = golden_cases("scannonet");
  const GoldenCase& part(const std::string& name) const {
    for (const GoldenCase& c : cases)
      if (c.name() == name) return c;
    FAIL("the golden file has no part '" << name << "'");
    return cases.front();
  }
  std::int64_t integer(const char* key) const { return part("sizes").size(key); }
  double number(const char* key) const { return part("sizes").number(key); }
  std::vector<double> list(const std::string& phase, const std::string& key) const { return part(phase)[key]; }
  // Inputs are f32 numbers, written with the nine digits that tell them apart.
  std::vector<double> input(const std::string& phase, const std::string& key) const {
    const std::vector<float> narrow = cast<float>(list(phase, key));
    return {narrow.begin(), narrow.end()};
  }
};

std::vector<NamedTensor> initial(const Golden& g, const Network& network, const std::string& phase, DType dtype) {
  std::vector<NamedTensor> all;
  for (const ParameterSpec& p : network.parameters()) {
    NamedTensor t;
    t.name = p.name;
    t.dtype = dtype;
    t.shape = {1};
    t.shape.insert(t.shape.end(), p.shape.begin(), p.shape.end());
    const std::vector<double> values = g.input(phase, "initial/" + p.name);
    t.bytes.resize(values.size() * static_cast<std::size_t>(size_of(dtype)));
    const std::vector<float> narrow(values.begin(), values.end());
    std::memcpy(t.bytes.data(), dtype == DType::f64 ? static_cast<const void*>(values.data()) : narrow.data(),
                t.bytes.size());
    all.push_back(std::move(t));
  }
  return all;
}

// Runs the 25 steps of a phase on one device.
class PhaseRun {
 public:
  PhaseRun(Context& ctx, const Golden& g, const std::string& phase, DType dtype)
      : ctx_(ctx),
        g_(g),
        phase_(phase),
        batch_(g.integer("batch")),
        genes_(g.integer("genes")),
        network_(scannonet::make_network(
            genes_, g.integer("classes"), 0.0,
            {.squeeze = g.integer("squeeze"), .hidden = g.integer("hidden"), .embedding = g.integer("embedding")})),
        session_(ctx, network_, {.replicas = 1, .max_rows = batch_, .dtype = dtype}),
        losses_(session_, losses(), 0.0, SmallBatch::guarded),
        optimizer_(session_) {
    session_.set_weights(initial(g, network_, phase, dtype));
    Optimizer::Start start = {.config = {},
                              .learning_rate = {g.number(phase == "phase1" ? "lr_phase1" : "lr_phase2")},
                              .weight_decay = {0.0},
                              .decay = g.number("schedule_factor"),
                              .decay_steps = g.integer("schedule_every"),
                              .trainable = {}};
    if (phase == "phase1") start.trainable = {"gate."};
    optimizer_.begin(start);
  }

  // The loss values of step `i`, before its update; gradients are in the session.
  std::vector<double> gradients_of(std::size_t i) {
    const auto rows = g_.part(phase_).labels("rows");
    const auto x = g_.input("data", "x");
    const auto labels = g_.part("data").labels("labels");
    std::vector<double> batch;
    std::vector<std::int32_t> truth;
    for (std::int64_t b = 0; b < batch_; ++b) {
      const std::int64_t row = rows[i * static_cast<std::size_t>(batch_) + static_cast<std::size_t>(b)];
      batch.insert(batch.end(), x.begin() + row * genes_, x.begin() + (row + 1) * genes_);
      truth.push_back(labels[static_cast<std::size_t>(row)]);
    }
    upload(session_.input(batch_), batch);
    const DeviceArray label(ctx_, {1, batch_}, truth), index(ctx_, {1, genes_}, session_.options().dtype);
    upload(index, g_.input("data", "index"));
    session_.forward(batch_, Mode::training, losses_.nodes());
    session_.begin_backward();
    losses_.run(batch_, {.labels = label, .index = index});
    session_.backward(batch_, Mode::training);
    std::vector<double> values;
    for (const std::vector<double>& loss : losses_.take_sums().loss)
      values.push_back(loss[0] / static_cast<double>(batch_));
    return values;
  }
  void update() { optimizer_.step(); }
  const Network& network() const { return network_; }
  Session& session() { return session_; }
  std::vector<double> gradient(std::size_t i) { return download(ctx_, session_.parameter_gradient(i)); }
  std::vector<double> weight(std::size_t i) { return download(ctx_, session_.parameter(i)); }
  double total(const std::vector<double>& values) const {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += losses_.specs()[i].weight * values[i];
    return sum;
  }

 private:
  std::vector<LossSpec> losses() const {
    if (phase_ == "phase1") return {scannonet::discriminative(network_, 1.0)};
    return {scannonet::classification(network_), scannonet::discriminative(network_, g_.number("w1")),
            scannonet::collinearity(network_, g_.number("w2"))};
  }
  void upload(const Tensor& to, const std::vector<double>& values) {
    const std::vector<float> narrow(values.begin(), values.end());
    ctx_.copy_to_device(to.data, to.dtype == DType::f64 ? static_cast<const void*>(values.data()) : narrow.data(),
                        static_cast<std::int64_t>(values.size()) * size_of(to.dtype));
  }
  Context& ctx_;
  const Golden& g_;
  std::string phase_;
  std::int64_t batch_, genes_;
  Network network_;
  Session session_;
  LossSet losses_;
  Optimizer optimizer_;
};

bool trained_in(const std::string& phase, const std::string& name) {
  return phase == "phase2" || name.rfind("gate.", 0) == 0;
}

void check_against_golden(Context& ctx, const std::string& phase, DType dtype) {
  const Golden g;
  PhaseRun run(ctx, g, phase, dtype);
  const std::vector<double> expected = g.list(phase, "loss");
  const double first_bound = dtype == DType::f64 ? 1e-10 : 1e-5, late_bound = dtype == DType::f64 ? 1e-10 : 1e-3;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    CAPTURE(step);
    const double total = run.total(run.gradients_of(step));
    const double distance = std::abs(total - expected[step]) / std::abs(expected[step]);
    CHECK(distance <= (step == 0 ? first_bound : late_bound));
    for (std::size_t i = 0; step == 0 && i < run.network().parameters().size(); ++i) {
      const std::string& name = run.network().parameters()[i].name;
      if (!trained_in(phase, name)) continue;
      CAPTURE(name);
      CHECK(relative_distance(run.gradient(i), g.list(phase, "gradient/" + name)) <= first_bound);
    }
    run.update();
    if (dtype != DType::f64 || (step + 1 != 20 && step + 1 != 25)) continue;
    for (std::size_t i = 0; i < run.network().parameters().size(); ++i) {
      const std::string& name = run.network().parameters()[i].name;
      if (!trained_in(phase, name)) continue;
      CAPTURE(name);
      CHECK(relative_distance(run.weight(i), g.list(phase, "after" + std::to_string(step + 1) + "/" + name)) <= 1e-10);
    }
  }
}

}  // namespace

TEST_CASE("scannonet: phase 1 follows PyTorch for 25 steps in fp64") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, "phase1", DType::f64); });
}

TEST_CASE("scannonet: phase 2 follows PyTorch for 25 steps in fp64") {
  on_every_device([](Context& ctx) { check_against_golden(ctx, "phase2", DType::f64); });
}

TEST_CASE("scannonet: in fp32 loss and gradients of the first step and the losses after stay close") {
  on_every_device([](Context& ctx) {
    check_against_golden(ctx, "phase1", DType::f32);
    check_against_golden(ctx, "phase2", DType::f32);
  });
}

// SPDX-License-Identifier: Apache-2.0
#include "models/session.h"

#include <cstring>

#include "engine/flat_tensor.h"
#include "models/initializer.h"
#include "models/loss.h"
#include "models/scannonet/network.h"
#include "tests/oracle/scannonet_oracle.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

constexpr std::int64_t kRows = 9, kGenes = 11, kClasses = 3;
constexpr scannonet::Widths kWidths = {.squeeze = 4, .hidden = 6, .embedding = 5};

std::vector<double> values_of(const NamedTensor& t) {
  std::vector<double> values(t.bytes.size() / sizeof(double));
  std::memcpy(values.data(), t.bytes.data(), t.bytes.size());
  return values;
}

}  // namespace

TEST_CASE("session: every gradient of scAnnoNet matches complex step") {
  on_every_device([](Context& ctx) {
    const Network network = scannonet::make_network(kGenes, kClasses, 0.0, kWidths);
    const std::vector<NamedTensor> weights = initial_weights(network, {{.seed = 4}}, DType::f64);
    const std::vector<double> x = random_values(kRows * kGenes, 1, -2, 2), index = random_values(kGenes, 2, 0, 1);
    const std::vector<std::int32_t> labels = random_labels(kRows, kClasses, 3);
    Session session(ctx, network, {.replicas = 1, .max_rows = kRows, .dtype = DType::f64});
    session.set_weights(weights);
    LossSet losses(session,
                   {scannonet::classification(network), scannonet::discriminative(network, 7.0),
                    scannonet::collinearity(network, 2.5)},
                   0.0, SmallBatch::guarded);
    const DeviceArray truth(ctx, {1, kRows}, labels), target(ctx, {1, kGenes}, index);

    ctx.copy_to_device(session.input(kRows).data, x.data(), kRows * kGenes * 8);
    session.forward(kRows, Mode::training);
    session.begin_backward();
    losses.run(kRows, {.labels = truth, .index = target});
    session.backward(kRows, Mode::training);

    std::vector<std::vector<double>> start;
    for (const NamedTensor& w : weights) start.push_back(values_of(w));
    for (std::size_t i = 0; i < start.size(); ++i) {
      CAPTURE(weights[i].name);
      const auto loss = [&](const std::vector<Complex>& p) {
        std::vector<std::vector<Complex>> all;
        for (const std::vector<double>& values : start) all.emplace_back(values.begin(), values.end());
        all[i] = p;
        return oracle::scannonet_loss(all, x, labels, index,
                                      {.rows = kRows, .genes = kGenes, .classes = kClasses, .w1 = 7.0, .w2 = 2.5});
      };
      // Gradients are sums over 9 rows and a few dozen products of numbers of size up to 10.
      expect_close(download(ctx, session.parameter_gradient(i)), complex_step(loss, start[i]), {.k = 512});
    }
  });
}

TEST_CASE("session: the discriminative loss alone reaches the gate's parameters only") {
  CpuContext ctx;
  const Network network = scannonet::make_network(kGenes, kClasses, 0.0, kWidths);
  Session session(ctx, network, {.replicas = 1, .max_rows = kRows, .dtype = DType::f64});
  session.set_weights(initial_weights(network, {{.seed = 4}}, DType::f64));
  LossSet losses(session, {scannonet::discriminative(network, 1.0)}, 0.0, SmallBatch::guarded);
  const std::vector<double> x = random_values(kRows * kGenes, 1);
  const DeviceArray index(ctx, {1, kGenes}, random_values(kGenes, 2, 0, 1));

  ctx.copy_to_device(session.input(kRows).data, x.data(), kRows * kGenes * 8);
  session.forward(kRows, Mode::training, losses.nodes());
  session.begin_backward();
  losses.run(kRows, {.index = index});
  session.backward(kRows, Mode::training);

  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    double size = 0;
    for (const double g : download(ctx, session.parameter_gradient(i))) size += std::abs(g);
    CAPTURE(network.parameters()[i].name);
    CHECK((size > 0) == (network.parameters()[i].name.rfind("gate.", 0) == 0));
  }
}

TEST_CASE("session: weights of another shape are refused by name") {
  CpuContext ctx;
  const Network network = scannonet::make_network(kGenes, kClasses, 0.0, kWidths);
  Session session(ctx, network, {.replicas = 2, .max_rows = kRows});

  CHECK_THROWS_WITH_AS(session.set_weights(initial_weights(network, {{.seed = 4}}, DType::f32)),
                       doctest::Contains("'gate.0.weight' has another shape"), InputError);
  CHECK_THROWS_WITH_AS(session.set_weights({}), doctest::Contains("'gate.0.weight' is missing"), InputError);
}

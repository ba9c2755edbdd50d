// SPDX-License-Identifier: Apache-2.0
#include "models/explainer.h"

#include <cmath>
#include <complex>
#include <cstring>
#include <numeric>

#include "engine/flat_tensor.h"
#include "models/initializer.h"
#include "models/scannonet/network.h"
#include "models/session.h"
#include "tests/oracle/conv1d_oracle.h"
#include "tests/oracle/pool1d_oracle.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::test;

namespace {

using ComplexRow = std::vector<std::complex<double>>;

constexpr double kEps = 1e-5;

// Weights of replica 0 as doubles.
std::vector<double> weights_of(const std::vector<NamedTensor>& all, const std::string& name) {
  for (const NamedTensor& t : all)
    if (t.name == name) {
      std::vector<double> values(t.bytes.size() / sizeof(double));
      std::memcpy(values.data(), t.bytes.data(), t.bytes.size());
      return values;
    }
  FAIL("no weights called " << name);
  return {};
}

// One node of a network in inference, by its definition.
ComplexRow node_oracle(const NodeSpec& spec, const ComplexRow& x, const ComplexRow* second,
                       const std::vector<NamedTensor>& weights) {
  const auto number = [&](const char* part) { return weights_of(weights, spec.name + part); };
  const auto sigmoid = [](std::complex<double> v) { return 1.0 / (1.0 + std::exp(-v)); };
  ComplexRow y(static_cast<std::size_t>(spec.width));
  if (spec.kind == NodeKind::linear) {
    const std::vector<double> w = number(".weight"), b = number(".bias");
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = b[i];
      for (std::size_t j = 0; j < x.size(); ++j) y[i] += w[i * x.size() + j] * x[j];
    }
    return y;
  }
  if (spec.kind == NodeKind::batch_norm) {
    const std::vector<double> gamma = number(".weight"), beta = number(".bias"), mean = number(".running_mean"),
                              var = number(".running_var");
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t c = i % gamma.size();  // of a sequence the channel
      y[i] = gamma[c] * (x[i] - mean[c]) / std::sqrt(var[c] + kEps) + beta[c];
    }
    return y;
  }
  if (spec.kind == NodeKind::conv1d) {
    const std::vector<double> w = number(".weight"), b = number(".bias");
    const std::int64_t channels = static_cast<std::int64_t>(w.size()) / (spec.channels * spec.kernel);
    return oracle::conv1d({1, static_cast<std::int64_t>(x.size()) / channels, channels, spec.positions(), spec.channels,
                           spec.kernel, spec.stride, spec.padding},
                          x, ComplexRow(w.begin(), w.end()), ComplexRow(b.begin(), b.end()));
  }
  if (is_pooling(spec.kind))
    return oracle::pool1d({1, static_cast<std::int64_t>(x.size()) / spec.channels, spec.channels, spec.kernel},
                          spec.kind == NodeKind::max_pool ? oracle::Pool1dKind::max : oracle::Pool1dKind::average, x);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = x[i];
    if (spec.kind == NodeKind::relu && x[i].real() < 0) y[i] = 0;
    if (spec.kind == NodeKind::tanh) y[i] = std::tanh(x[i]);
    if (spec.kind == NodeKind::sigmoid) y[i] = sigmoid(x[i]);
    if (spec.kind == NodeKind::gate) y[i] = (*second)[i] * sigmoid(x[i]);
  }
  return y;
}

// d output[k] / d input, by complex steps.
std::vector<double> gradient_oracle(const Network& network, const std::vector<NamedTensor>& weights,
                                    const std::vector<double>& x, std::size_t k) {
  std::vector<double> gradient;
  for (std::size_t j = 0; j < x.size(); ++j) {
    ComplexRow start(x.begin(), x.end());
    start[j] += std::complex<double>(0, 1e-30);
    std::vector<ComplexRow> values;
    for (const NodeSpec& spec : network.nodes()) {
      const ComplexRow* second = spec.inputs.size() > 1 ? &values[static_cast<std::size_t>(spec.inputs[1])] : nullptr;
      values.push_back(spec.inputs.empty()
                           ? start
                           : node_oracle(spec, values[static_cast<std::size_t>(spec.inputs[0])], second, weights));
    }
    gradient.push_back(values.back()[k].imag() / 1e-30);
  }
  return gradient;
}

// Random numbers for every parameter, so that no batch norm is at identity.
std::vector<NamedTensor> random_weights(const Network& network, std::uint64_t seed) {
  std::vector<NamedTensor> weights = initial_weights(network, {{.seed = 1}}, DType::f64);
  for (NamedTensor& t : weights) {
    const bool variance = t.name.ends_with("running_var");
    const std::vector<double> values = random_values(static_cast<std::int64_t>(t.bytes.size() / sizeof(double)), seed++,
                                                     variance ? 0.5 : -1, variance ? 2 : 1);
    std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  }
  return weights;
}

Network normalised_network() {
  Network n;
  const Node x = n.input("genes", 7);
  const Node hidden = n.dropout(n.tanh(n.batch_norm("hidden.norm", n.linear("hidden", x, 6))), 0.5);
  n.linear("output", hidden, 3);
  return n;
}

Network convolved_network() {
  Network n;
  Node x = n.conv1d("first", n.input("genes", 13), {.filters = 3, .kernel = 4, .stride = 2});
  x = n.max_pool(n.tanh(n.batch_norm("norm", x)), 2);
  x = n.conv1d("second", x, {.filters = 2, .kernel = 2, .ends = Convolution::Ends::inside});
  n.linear("output", n.dropout(n.average_pool(x, 2), 0.3), 3);
  return n;
}

// Gradients of output 1 of two rows to the input against the oracle.
void check_input_gradient(const Network& network) {
  on_every_device([&](Context& ctx) {
    const std::vector<NamedTensor> weights = random_weights(network, 5);
    const std::int64_t genes = network.input_width(), outputs = network.output_width();
    const int output = static_cast<int>(network.nodes().size()) - 1;
    const std::vector<double> x = random_values(2 * genes, 9, -2, 2);
    Session session(ctx, network,
                    {.max_rows = 2, .dtype = DType::f64, .use = Mode::inference, .input_gradient = InputGradient::yes});
    session.set_weights(weights);
    std::vector<double> start(static_cast<std::size_t>(2 * outputs), 0.0);
    start[1] = start[static_cast<std::size_t>(outputs) + 1] = 1;

    ctx.copy_to_device(session.input(2).data, x.data(), 2 * genes * 8);
    session.forward(2, Mode::inference);
    session.begin_backward();
    ctx.copy_to_device(session.gradient(output, 0, 2).data, start.data(), 2 * outputs * 8);
    session.claim_gradient(output, 0);
    session.backward(2, Mode::inference);

    const std::vector<double> got = download(ctx, session.gradient(0, 0, 2));
    for (std::int64_t i = 0; i < 2; ++i) {
      const std::vector<double> row(x.begin() + i * genes, x.begin() + (i + 1) * genes);
      const std::vector<double> want = gradient_oracle(network, weights, row, 1);
      for (std::int64_t j = 0; j < genes; ++j)  // sums of a few dozen products of numbers up to 10
        CHECK(std::abs(got[static_cast<std::size_t>(i * genes + j)] - want[static_cast<std::size_t>(j)]) < 1e-12);
    }
  });
}

// A model of two replicas whose input is (v - shift) * factor.
Model model_of(Network network) {
  Model m;
  m.system = "mlp";
  m.replicas = 2;
  m.network = std::move(network);
  for (std::int64_t g = 0; g < m.network.input_width(); ++g) {
    m.recipe.gene_ids.push_back("g" + std::to_string(g));
    m.recipe.shift.push_back(0.25 * static_cast<double>(g));
    m.recipe.factor.push_back(g == 2 ? 0.0 : 1.5);  // gene 2 is constant
  }
  m.recipe.scaling = Recipe::Scaling::z_score;
  for (std::int64_t k = 0; k < m.network.output_width(); ++k) m.classes.push_back("c" + std::to_string(k));
  m.weights = initial_weights(m.network, {{.seed = 3}, {.seed = 4}}, DType::f32);
  return m;
}

CsrMatrix cells_of(std::int64_t rows, std::int64_t genes) {
  const std::vector<double> values = random_values(rows * genes, 21, 0, 3);
  CsrMatrix m;
  m.cols = genes;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t g = 0; g < genes; ++g) {
      if ((i + g) % 3 == 0) continue;
      m.column.push_back(static_cast<std::int32_t>(g));
      m.value.push_back(static_cast<float>(values[static_cast<std::size_t>(i * genes + g)]));
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
    ++m.rows;
  }
  return m;
}

float value_at(const CsrMatrix& m, std::int64_t i, std::int64_t g) {
  for (std::int64_t k = m.row_begin[static_cast<std::size_t>(i)]; k < m.row_begin[static_cast<std::size_t>(i + 1)]; ++k)
    if (m.column[static_cast<std::size_t>(k)] == g) return m.value[static_cast<std::size_t>(k)];
  return 0;
}

}  // namespace

TEST_CASE("explainer: the gradient to scAnnoNet's input matches complex step") {
  check_input_gradient(scannonet::make_network(11, 3, 0.5, {.squeeze = 4, .hidden = 6, .embedding = 5}));
}

TEST_CASE("explainer: the gradient through batch norm in inference and skipped dropout matches complex step") {
  check_input_gradient(normalised_network());
  check_input_gradient(convolved_network());
}

TEST_CASE("explainer: of a linear network either method gives weight times what differs from the baseline") {
  Network n;
  n.linear("output", n.input("genes", 5), 3);
  const Model model = model_of(n);
  const CsrMatrix cells = cells_of(70, 5);  // more than one batch
  std::vector<std::int32_t> target(70, 1);
  target[69] = 2;
  for (const Attribution method : {Attribution::integrated_gradients, Attribution::gradient_input})
    for (const Baseline baseline : {Baseline::zero_input, Baseline::zero_expression}) {
      CpuContext ctx;
      Explainer explainer(ctx, model, {}, {.method = method, .baseline = baseline, .steps = 5});

      const Explainer::Explained got = explainer.explain(cells, target);

      const auto* w = reinterpret_cast<const float*>(model.weights[0].bytes.data());  // [2, 3, 5]
      for (const std::int64_t i : {std::int64_t{0}, std::int64_t{64}, std::int64_t{69}}) {
        double total = 0;
        for (std::int64_t g = 0; g < 5; ++g) {
          const std::int64_t at = target[static_cast<std::size_t>(i)] * 5 + g;
          const double weight = 0.5 * (static_cast<double>(w[at]) + static_cast<double>(w[15 + at]));
          const double v = value_at(cells, i, g),
                       shift = baseline == Baseline::zero_input ? 0.25 * static_cast<double>(g) : 0;
          const double want = g == 2 ? 0 : weight * (v - shift) * 1.5;
          CHECK(got.attribution[static_cast<std::size_t>(i * 5 + g)] == doctest::Approx(want).epsilon(1e-5).scale(1));
          total += want;
        }
        CHECK(got.difference[static_cast<std::size_t>(i)] == doctest::Approx(total).epsilon(1e-5).scale(1));
      }
    }
}

TEST_CASE("explainer: integrated gradients of scAnnoNet add up to the change of the output") {
  const Model model = model_of(scannonet::make_network(30, 4, 0.5, {.squeeze = 5, .hidden = 16, .embedding = 8}));
  const CsrMatrix cells = cells_of(3, 30);
  const std::vector<std::int32_t> target(3, 3);
  on_every_device([&](Context& ctx) {
    Explainer explainer(ctx, model, {}, {.baseline = Baseline::zero_expression, .steps = 64, .most_steps = 1024});

    const Explainer::Explained got = explainer.explain(cells, target);

    double error = 0, size = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double total = std::accumulate(got.attribution.begin() + static_cast<std::ptrdiff_t>(i) * 30,
                                           got.attribution.begin() + static_cast<std::ptrdiff_t>(i + 1) * 30, 0.0);
      error += (total - got.difference[i]) * (total - got.difference[i]);
      size += got.difference[i] * got.difference[i];
    }
    CHECK(size > 0);
    CHECK(std::sqrt(error / size) < 3e-3);  // 24 kinks of ReLU, each within 1/128 of its share
  });
}

TEST_CASE("explainer: no step at all is refused") {
  Network n;
  n.linear("output", n.input("genes", 2), 2);
  const Model model = model_of(n);
  CpuContext ctx;

  CHECK_THROWS_AS(Explainer(ctx, model, {}, {.steps = 0}), UsageError);
}

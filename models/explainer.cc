// SPDX-License-Identifier: Apache-2.0
#include "models/explainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "engine/flat_tensor.h"
#include "kernels/ingest.h"
#include "models/csr_rows.h"
#include "models/device_data.h"
#include "models/device_vector.h"
#include "models/session.h"

namespace genexx {
namespace {

constexpr std::int64_t kBatch = 64;

std::vector<float> narrow(const std::vector<double>& values) { return {values.begin(), values.end()}; }

// What the baseline is as the network's input: [r, genes].
std::vector<float> baseline_of(const Recipe& recipe, std::int64_t replicas, const std::vector<double>& factor,
                               Baseline kind) {
  std::vector<float> b(factor.size(), 0.0f);
  if (kind == Baseline::zero_input) return b;
  const std::vector<double> shift = recipe.effective_shift(replicas);
  for (std::size_t i = 0; i < b.size(); ++i) {
    double value = factor[i] == 0 ? 0 : -shift[i] * factor[i];
    if (recipe.clip > 0) value = std::clamp(value, -recipe.clip, recipe.clip);
    b[i] = static_cast<float>(value);
  }
  return b;
}

// Room to explain on one context.
struct Worker {
  Context& ctx;
  const Model& model;
  ExplainerOptions options;
  std::int64_t replicas, genes, outputs;
  int output;  // node
  Session session;
  std::vector<double> wide_factor;
  std::vector<float> baseline;  // [r, genes]
  DeviceVector<float> shift, factor;
  Buffer rows, places, x, path_shift, path_factor;
  std::vector<double> baseline_output;  // [r, outputs]

  Worker(Context& c, const Model& m, const std::vector<std::uint8_t>& missing_gene, const ExplainerOptions& o)
      : ctx(c),
        model(m),
        options(o),
        replicas(m.replicas),
        genes(m.recipe.genes()),
        outputs(m.network.output_width()),
        output(static_cast<int>(m.network.nodes().size()) - 1),
        session(
            c, m.network,
            {.replicas = m.replicas, .max_rows = kBatch, .use = Mode::inference, .input_gradient = InputGradient::yes}),
        wide_factor(m.recipe.effective_factor(m.replicas, missing_gene)),
        baseline(baseline_of(m.recipe, m.replicas, wide_factor, o.baseline)),
        shift(c, {m.replicas, genes}, narrow(m.recipe.effective_shift(m.replicas))),
        factor(c, {m.replicas, genes}, narrow(wide_factor)),
        rows(c, kBatch * 8),
        places(c, replicas * kBatch * 8),
        x(c, replicas * kBatch * genes * 4),
        path_shift(c, replicas * genes * 4),
        path_factor(c, genes * 4) {
    session.set_weights(m.weights);
    ctx.copy_to_device(session.input(1).data, baseline.data(), replicas * genes * 4);
    session.forward(1, Mode::inference);
    baseline_output = download(ctx, session.value(output, 0, 1));
  }

  void read(const DeviceData& data, std::int64_t begin, std::int64_t count);
  std::vector<double> output_differences(const std::int32_t* target, std::int64_t count);
  void place_on_path(double a, std::int64_t count);
  struct Part {
    std::int64_t begin, count, steps;
  };
  void explain(const std::int32_t* target, const Part& part, Explainer::Explained& all);
};

// The cells [begin, begin + count) as the network's input, kept in x.
void Worker::read(const DeviceData& data, std::int64_t begin, std::int64_t count) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(count));
  std::iota(index.begin(), index.end(), begin);
  ctx.copy_to_device(rows.data(), index.data(), count * 8);
  index.resize(static_cast<std::size_t>(replicas * count));
  std::iota(index.begin(), index.end(), std::int64_t{0});
  ctx.copy_to_device(places.data(), index.data(), replicas * count * 8);
  ingest::run(ctx, {.data = data.expression(),
                    .rows = {rows.data(), DType::i64, {1, count}},
                    .shift = shift,
                    .factor = factor,
                    .clip = model.recipe.clip,
                    .out = {x.data(), DType::f32, {replicas, count, genes}}});
}

// F(x) - F(b) of each row, and the gradient of its sum over the replicas put where backward starts.
std::vector<double> Worker::output_differences(const std::int32_t* target, std::int64_t count) {
  ctx.copy_within(session.input(count).data, x.data(), replicas * count * genes * 4);
  session.forward(count, Mode::inference);
  const std::vector<double> values = download(ctx, session.value(output, 0, count));
  std::vector<float> start(values.size(), 0.0f);
  std::vector<double> difference(static_cast<std::size_t>(count), 0.0);
  for (std::int64_t r = 0; r < replicas; ++r)
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>((r * count + i) * outputs + target[i]);
      start[at] = 1;
      difference[static_cast<std::size_t>(i)] +=
          (values[at] - baseline_output[static_cast<std::size_t>(r * outputs + target[i])]) /
          static_cast<double>(replicas);
    }
  ctx.copy_to_device(session.gradient(output, 0, count).data, start.data(),
                     static_cast<std::int64_t>(start.size()) * 4);
  return difference;
}

// The input becomes b + a (x - b) = a (x - (a - 1) / a b).
void Worker::place_on_path(double a, std::int64_t count) {
  std::vector<float> s(baseline.size());
  for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<float>((a - 1) / a * baseline[i]);
  const std::vector<float> f(static_cast<std::size_t>(genes), static_cast<float>(a));
  ctx.copy_to_device(path_shift.data(), s.data(), path_shift.bytes());
  ctx.copy_to_device(path_factor.data(), f.data(), path_factor.bytes());
  ingest::run(ctx, {.data = {.dense = {x.data(), DType::f32, {replicas * count, genes}}, .cols = genes},
                    .rows = {places.data(), DType::i64, {replicas, count}},
                    .shift = {path_shift.data(), DType::f32, {replicas, genes}},
                    .factor = {path_factor.data(), DType::f32, {1, genes}},
                    .out = session.input(count)});
}

void Worker::explain(const std::int32_t* target, const Part& part, Explainer::Explained& all) {
  const std::int64_t begin = part.begin, count = part.count;
  const std::vector<double> difference = output_differences(target, count);
  std::copy(difference.begin(), difference.end(), all.difference.begin() + begin);
  const Tensor gradient = session.gradient(0, 0, count);
  const std::int64_t size = replicas * count * genes;
  ctx.fill_bytes(gradient.data, 0, size * 4);
  const bool integrated = options.method == Attribution::integrated_gradients;
  const std::int64_t steps = integrated ? part.steps : 1;
  for (std::int64_t k = 0; k < steps; ++k) {
    if (integrated) {
      place_on_path((static_cast<double>(k) + 0.5) / static_cast<double>(steps), count);
      session.forward(count, Mode::inference);
    }  // else the values are those of x still
    session.begin_backward();
    session.claim_gradient(output, 0);
    session.claim_gradient(0, 0);  // holds what earlier steps gave, or zeros: backward adds to it
    session.backward(count, Mode::inference);
  }
  std::vector<float> sum(static_cast<std::size_t>(size)), input(sum.size());
  ctx.copy_to_host(sum.data(), gradient.data, size * 4);
  ctx.copy_to_host(input.data(), x.data(), size * 4);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t g = 0; g < genes; ++g) {
      double total = 0;
      for (std::int64_t r = 0; r < replicas; ++r) {
        const auto at = static_cast<std::size_t>((r * count + i) * genes + g);
        const double from = baseline[static_cast<std::size_t>(r * genes + g)];
        total += static_cast<double>(sum[at]) * (static_cast<double>(input[at]) - from);
      }
      all.attribution[static_cast<std::size_t>((begin + i) * genes + g)] =
          static_cast<float>(total / static_cast<double>(steps * replicas));
    }
}

// The rows whose attributions do not add up.
std::vector<std::int64_t> unfinished(const Explainer::Explained& e, double tolerance) {
  std::vector<std::int64_t> rows;
  const auto genes = static_cast<std::ptrdiff_t>(e.attribution.size() / std::max<std::size_t>(1, e.difference.size()));
  for (std::size_t i = 0; i < e.difference.size(); ++i) {
    const auto row = e.attribution.begin() + static_cast<std::ptrdiff_t>(i) * genes;
    const double sum = std::accumulate(row, row + genes, 0.0);
    if (std::abs(sum - e.difference[i]) > tolerance * std::abs(e.difference[i]))
      rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

}  // namespace

struct Explainer::Parts {
  Context& ctx;
  ExplainerOptions options;
  std::int64_t genes = 0;
  std::vector<std::unique_ptr<CpuContext>> thread_contexts = {};
  std::vector<std::unique_ptr<Worker>> workers = {};

  Explained explain(const CsrMatrix& rows, const std::vector<std::int32_t>& target, std::int64_t steps);
};

Explainer::Explainer(Context& ctx, const Model& model, const std::vector<std::uint8_t>& missing_gene,
                     const ExplainerOptions& options)
    : parts_(std::unique_ptr<Parts>(new Parts{.ctx = ctx, .options = options, .genes = model.recipe.genes()})) {
  if (options.steps < 1)
    throw UsageError("steps of integrated gradients: " + std::to_string(options.steps) + ", expected at least 1");
  Parts& p = *parts_;
  if (ctx.device() == DeviceType::cpu) {
    CpuContext& cpu = static_cast<CpuContext&>(ctx);
    for (int i = 0; i < cpu.threads(); ++i) {
      p.thread_contexts.push_back(std::make_unique<CpuContext>(nullptr, cpu.isa()));
      p.thread_contexts.back()->precision = ctx.precision;
      p.workers.push_back(std::make_unique<Worker>(*p.thread_contexts.back(), model, missing_gene, options));
    }
  } else {
    p.workers.push_back(std::make_unique<Worker>(ctx, model, missing_gene, options));
  }
}

Explainer::~Explainer() = default;

Explainer::Explained Explainer::Parts::explain(const CsrMatrix& rows, const std::vector<std::int32_t>& target,
                                               std::int64_t steps) {
  Explained all;
  all.attribution.resize(static_cast<std::size_t>(rows.rows * genes));
  all.difference.resize(static_cast<std::size_t>(rows.rows));
  const DeviceData data(ctx, rows);
  const std::int64_t batches = (rows.rows + kBatch - 1) / kBatch;
  const auto one = [&](int worker, std::int64_t batch) {
    const std::int64_t begin = batch * kBatch, count = std::min(kBatch, rows.rows - begin);
    Worker& w = *workers[static_cast<std::size_t>(worker)];
    w.read(data, begin, count);
    w.explain(target.data() + begin, {begin, count, steps}, all);
  };
  if (ctx.device() == DeviceType::cpu) {
    static_cast<CpuContext&>(ctx).parallel_on(batches, one);
  } else {
    for (std::int64_t i = 0; i < batches; ++i) one(0, i);
  }
  return all;
}

Explainer::Explained Explainer::explain(const CsrMatrix& rows, const std::vector<std::int32_t>& target) {
  Parts& p = *parts_;
  const ExplainerOptions& o = p.options;
  Explained all = p.explain(rows, target, o.steps);
  if (o.method != Attribution::integrated_gradients) return all;
  for (std::int64_t steps = 4 * o.steps; steps <= o.most_steps; steps *= 4) {
    const std::vector<std::int64_t> again = unfinished(all, o.tolerance);
    if (again.empty()) break;
    std::vector<std::int32_t> their_target;
    for (const std::int64_t row : again) their_target.push_back(target[static_cast<std::size_t>(row)]);
    const Explained finer = p.explain(csr_rows(rows, again), their_target, steps);
    for (std::size_t i = 0; i < again.size(); ++i)
      std::copy_n(finer.attribution.begin() + static_cast<std::ptrdiff_t>(i) * p.genes, p.genes,
                  all.attribution.begin() + again[i] * p.genes);
  }
  return all;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/predictor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/flat_tensor.h"
#include "kernels/ingest.h"
#include "models/device_data.h"
#include "models/session.h"

namespace genexx {
namespace {

constexpr std::int64_t kMostRows = 512, kFewestRows = 64;

Buffer upload_floats(Context& ctx, const std::vector<double>& values) {
  const std::vector<float> narrow(values.begin(), values.end());
  Buffer buffer(ctx, static_cast<std::int64_t>(narrow.size() * sizeof(float)));
  ctx.copy_to_device(buffer.data(), narrow.data(), buffer.bytes());
  return buffer;
}

// On the CPU the values a cell stores are multiplied as they are, where nothing but linear layers reads them, and where
// no precision of dense products is asked for. The form does not hang on the data: a cell has the same outputs in
// whatever file it comes.
InputForm input_form(const Context& ctx, const Model& model) {
  const bool stored = ctx.device() == DeviceType::cpu && ctx.precision == Precision::fp32 && model.recipe.clip == 0 &&
                      takes_stored_rows(model.network);
  return stored ? InputForm::stored : InputForm::dense;
}

}  // namespace

struct Predictor::Parts {
  // Room to run the network on one context: its session and the statistics of the recipe.
  struct Worker {
    Context& ctx;
    Session session;
    Buffer shift, factor, rows;

    Worker(Context& c, const Model& m, const std::vector<std::uint8_t>& missing_gene)
        : ctx(c),
          session(c, m.network,
                  {.replicas = m.replicas,
                   .max_rows = Predictor::batch_rows(m.replicas),
                   .use = Mode::inference,
                   .input_form = input_form(c, m),
                   .fusion = Fusion::none}),  // values() may ask for any node
          shift(upload_floats(c, m.recipe.effective_shift(m.replicas))),
          factor(upload_floats(c, m.recipe.effective_factor(m.replicas, missing_gene))),
          rows(c, Predictor::batch_rows(m.replicas) * 8) {
      session.set_weights(m.weights);
    }
    void forward(const DeviceData& data, std::int64_t begin, std::int64_t count, const Recipe& recipe) {
      std::vector<std::int64_t> index(static_cast<std::size_t>(count));
      std::iota(index.begin(), index.end(), begin);
      ctx.copy_to_device(rows.data(), index.data(), count * 8);
      const Shape statistics = {session.options().replicas, recipe.genes()};
      const sparse_linear::Input input = {.data = data.expression(),
                                          .rows = {rows.data(), DType::i64, {1, count}},
                                          .shift = {shift.data(), DType::f32, statistics},
                                          .factor = {factor.data(), DType::f32, statistics}};
      if (session.options().input_form == InputForm::stored) {
        session.set_stored_input(input);
      } else {
        ingest::run(ctx, {.data = input.data,
                          .rows = input.rows,
                          .shift = input.shift,
                          .factor = input.factor,
                          .clip = recipe.clip,
                          .out = session.input(count)});
      }
      session.forward(count, Mode::inference);
    }
  };

  Context& ctx;
  const Model& model;
  std::vector<std::unique_ptr<CpuContext>> thread_contexts = {};
  std::vector<std::unique_ptr<Worker>> workers = {};

  // Calls use(worker, begin, count) for every batch after its forward pass; on the CPU batches are shared out over
  // threads.
  template <class Use>
  void for_batches(const CsrMatrix& rows, Use&& use) {
    const DeviceData data(ctx, rows);
    const std::int64_t each = batch_rows(model.replicas), batches = (rows.rows + each - 1) / each;
    const auto one = [&](int worker, std::int64_t batch) {
      const std::int64_t begin = batch * each, count = std::min(each, rows.rows - begin);
      workers[static_cast<std::size_t>(worker)]->forward(data, begin, count, model.recipe);
      use(*workers[static_cast<std::size_t>(worker)], begin, count);
    };
    if (ctx.device() == DeviceType::cpu) {
      static_cast<CpuContext&>(ctx).parallel_on(batches, one);
    } else {
      for (std::int64_t i = 0; i < batches; ++i) one(0, i);
    }
  }
};

Predictor::Predictor(Context& ctx, const Model& model, const std::vector<std::uint8_t>& missing_gene)
    : parts_(std::unique_ptr<Parts>(new Parts{.ctx = ctx, .model = model})) {
  Parts& p = *parts_;
  if (ctx.device() == DeviceType::cpu) {
    CpuContext& cpu = static_cast<CpuContext&>(ctx);
    for (int i = 0; i < cpu.threads(); ++i) {
      p.thread_contexts.push_back(std::make_unique<CpuContext>(nullptr, cpu.isa()));
      p.thread_contexts.back()->precision = ctx.precision;
      p.workers.push_back(std::make_unique<Parts::Worker>(*p.thread_contexts.back(), model, missing_gene));
    }
  } else {
    p.workers.push_back(std::make_unique<Parts::Worker>(ctx, model, missing_gene));
  }
}

Predictor::~Predictor() = default;

std::int64_t Predictor::batch_rows(std::int64_t replicas) {
  return std::clamp(kMostRows / std::max<std::int64_t>(1, replicas), kFewestRows, kMostRows);
}

std::int64_t Predictor::bytes_per_thread(const Network& network, std::int64_t replicas) {
  std::int64_t widths = 0;
  for (const NodeSpec& node : network.nodes())
    if (node.kind != NodeKind::dropout) widths += (node.kind == NodeKind::gate ? 2 : 1) * node.width;
  return replicas * 4 * (network.parameter_count() + batch_rows(replicas) * widths);
}

std::vector<float> Predictor::values(const CsrMatrix& rows, std::int64_t replica, int node, int output) {
  Parts& p = *parts_;
  std::vector<float> all;
  const std::int64_t width = p.workers.front()->session.value(node, output, 1).shape[2];
  all.resize(static_cast<std::size_t>(rows.rows * width));
  p.for_batches(rows, [&](Parts::Worker& w, std::int64_t begin, std::int64_t count) {
    const Tensor t = w.session.value(node, output, count);
    w.ctx.copy_to_host(all.data() + begin * width, t.as<float>() + replica * count * width, count * width * 4);
  });
  return all;
}

std::vector<float> Predictor::replica_probabilities(const CsrMatrix& rows) {
  Parts& p = *parts_;
  const std::int64_t classes = p.model.network.output_width(), replicas = p.model.replicas;
  const int output = static_cast<int>(p.model.network.nodes().size()) - 1;
  std::vector<float> all(static_cast<std::size_t>(replicas * rows.rows * classes));
  p.for_batches(rows, [&](Parts::Worker& w, std::int64_t begin, std::int64_t count) {
    const std::vector<double> logits = download(w.ctx, w.session.value(output, 0, count));
    for (std::int64_t i = 0; i < replicas * count; ++i) {
      const double* in = logits.data() + i * classes;
      float* out = all.data() + ((i / count) * rows.rows + begin + i % count) * classes;
      const double top = *std::max_element(in, in + classes);
      double sum = 0;
      for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(in[k] - top);
      for (std::int64_t k = 0; k < classes; ++k) out[k] = static_cast<float>(std::exp(in[k] - top) / sum);
    }
  });
  return all;
}

std::vector<float> Predictor::probabilities(const CsrMatrix& rows) {
  const std::vector<float> each = replica_probabilities(rows);
  const std::int64_t size = rows.rows * parts_->model.network.output_width();
  std::vector<float> mean(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) {
    double sum = 0;
    for (std::int64_t r = 0; r < parts_->model.replicas; ++r) sum += each[static_cast<std::size_t>(r * size + i)];
    mean[static_cast<std::size_t>(i)] = static_cast<float>(sum / static_cast<double>(parts_->model.replicas));
  }
  apply_temperature(mean, parts_->model.network.output_width(), parts_->model.calibration.temperature);
  return mean;
}

}  // namespace genexx

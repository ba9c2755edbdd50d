// SPDX-License-Identifier: Apache-2.0
// Our side of the comparison with PyTorch: whole training steps of scAnnoNet, both phases, as the trainer does them
// (draw the cells, ingest, forward, losses, backward, Adam, schedule).
//
//   bench_scannonet_step [options] --export FILE   writes what the other side needs and what it must arrive at
//   bench_scannonet_step [options]                 times a round for every line of stdin, answers with a line of JSON
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "io/safetensors.h"
#include "models/class_codes.h"
#include "models/scannonet/discriminant_index.h"
#include "models/scannonet/network.h"
#include "models/simulate.h"
#include "models/trainer.h"

namespace {

using namespace genexx;

struct Options {
  std::int64_t cells = 4096, genes = 2000, classes = 10, batch = 256, replicas = 1, epochs = 3, check_steps = 20;
  double density = 0.15, dropout = 0.5;
  int threads = 2;
  std::string file;  // --export
};

// Counts become log1p(counts per 10,000), the way every single-cell file does it.
void log_normalize(CsrMatrix& matrix) {
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const auto begin = static_cast<std::size_t>(matrix.row_begin[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(matrix.row_begin[static_cast<std::size_t>(row) + 1]);
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k) sum += matrix.value[k];
    for (std::size_t k = begin; k < end; ++k)
      matrix.value[k] = static_cast<float>(std::log1p(1e4 * matrix.value[k] / sum));
  }
}

// The value every absent entry of gene g has is 0; sums over all cells, and over the cells of each class.
struct Moments {
  std::vector<double> mean, square, class_mean;  // [g], [g], [classes, g]
};

Moments moments_of(const TrainingSet& set) {
  const auto genes = static_cast<std::size_t>(set.genes());
  Moments m = {std::vector<double>(genes), std::vector<double>(genes),
               std::vector<double>(genes * static_cast<std::size_t>(set.classes))};
  for (std::int64_t row = 0; row < set.cells; ++row) {
    const std::size_t base = genes * static_cast<std::size_t>(set.labels[static_cast<std::size_t>(row)]);
    for (std::int64_t k = set.data.row_begin[static_cast<std::size_t>(row)];
         k < set.data.row_begin[static_cast<std::size_t>(row) + 1]; ++k) {
      const auto gene = static_cast<std::size_t>(set.data.column[static_cast<std::size_t>(k)]);
      const double value = set.data.value[static_cast<std::size_t>(k)];
      m.mean[gene] += value;
      m.square[gene] += value * value;
      m.class_mean[base + gene] += value;
    }
  }
  const std::vector<std::int64_t> sizes = class_sizes(set.labels, set.classes);
  for (std::size_t g = 0; g < genes; ++g) m.mean[g] /= static_cast<double>(set.cells);
  for (std::size_t i = 0; i < m.class_mean.size(); ++i)
    m.class_mean[i] /= static_cast<double>(std::max<std::int64_t>(sizes[i / genes], 1));
  return m;
}

// z-score over all cells, and the discriminant index of the z-scored genes.
Preparation preparation_of(const TrainingSet& set) {
  const Moments m = moments_of(set);
  const std::vector<std::int64_t> sizes = class_sizes(set.labels, set.classes);
  const auto genes = static_cast<std::size_t>(set.genes());
  const auto cells = static_cast<double>(set.cells);
  Preparation p;
  p.live_genes = set.genes();
  std::vector<scannonet::Scatter> scatter;
  for (std::size_t g = 0; g < genes; ++g) {
    const double total = m.square[g] - cells * m.mean[g] * m.mean[g];
    double between = 0;
    for (std::size_t c = 0; c < sizes.size(); ++c)
      between += static_cast<double>(sizes[c]) * std::pow(m.class_mean[c * genes + g] - m.mean[g], 2);
    const double factor = total > 0 ? std::sqrt(cells / total) : 1.0;
    p.shift.push_back(static_cast<float>(m.mean[g]));
    p.factor.push_back(static_cast<float>(factor));
    p.mask.push_back(1);
    scatter.push_back({between * factor * factor, std::max(total - between, 0.0) * factor * factor});
  }
  for (const double score : scannonet::discriminant_index(scatter, 1.0)) p.index.push_back(static_cast<float>(score));
  return p;
}

TrainingSet make_set(const Options& o, ThreadPool& pool) {
  SimulatedCells cells = simulate_cells(
      {.cells = o.cells, .genes = o.genes, .types = o.classes, .density = o.density, .type_ratio = 1.0}, pool);
  TrainingSet set;
  set.labels = encode_classes(cells.cell_types).codes;
  set.data = std::move(cells.counts);
  set.cells = o.cells;
  set.classes = o.classes;
  log_normalize(set.data);
  set.preparations.push_back(preparation_of(set));
  return set;
}

// Both phases as the published program runs them, `epochs` each, `times` times over.
TrainerConfig make_config(const Network& network, std::int64_t batch, std::int64_t epochs, std::int64_t times) {
  TrainerConfig config;
  config.batch = batch;
  config.lr_decay = 0.99;
  config.lr_decay_steps = 20;
  for (std::int64_t i = 0; i < times; ++i) {
    config.phases.push_back({.name = "pretrain",
                             .epochs = epochs,
                             .learning_rate = 0.1,
                             .losses = {scannonet::discriminative(network, 1.0)},
                             .trainable = {"gate."}});
    config.phases.push_back({.name = "train",
                             .epochs = epochs,
                             .learning_rate = 1e-3,
                             .losses = {scannonet::classification(network), scannonet::discriminative(network, 1000.0),
                                        scannonet::collinearity(network, 1.0)}});
  }
  return config;
}

template <class T>
NamedTensor tensor(std::string name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  NamedTensor t = {std::move(name), DTypeOf<T>::value, std::move(shape), {}};
  t.bytes.resize(values.size() * sizeof(T));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

// The first `rows` cells as the network sees them: z-scored, dense.
template <class T>
std::vector<T> dense(const TrainingSet& set, std::int64_t rows) {
  const Preparation& p = set.preparations[0];
  std::vector<T> x;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::size_t base = x.size();
    for (std::size_t g = 0; g < p.shift.size(); ++g)
      x.push_back(static_cast<T>((0.0 - static_cast<double>(p.shift[g])) * static_cast<double>(p.factor[g])));
    for (std::int64_t k = set.data.row_begin[static_cast<std::size_t>(row)];
         k < set.data.row_begin[static_cast<std::size_t>(row) + 1]; ++k) {
      const auto g = static_cast<std::size_t>(set.data.column[static_cast<std::size_t>(k)]);
      const double value = static_cast<double>(set.data.value[static_cast<std::size_t>(k)]);
      x[base + g] = static_cast<T>((value - static_cast<double>(p.shift[g])) * static_cast<double>(p.factor[g]));
    }
  }
  return x;
}

// Trains on one batch alone, dropout off, in `dtype`: weights before and after, and every loss of every step. The batch
// is all there is, so the order of its cells does not matter and the other side needs no random numbers of ours.
void add_check(const Options& o, const TrainingSet& set, Context& ctx, DType dtype, std::vector<NamedTensor>& out) {
  const std::string prefix = dtype == DType::f64 ? "f64." : "f32.";
  const Network network = scannonet::make_network(set.genes(), set.classes, 0.0);
  TrainerConfig config = make_config(network, o.batch, o.check_steps, 1);
  config.dtype = dtype;
  ReplicaTask task = {.seed = 1, .preparation = 0, .train = {}, .validation = {}};
  for (std::int64_t i = 0; i < o.batch; ++i) task.train.push_back(i);
  Trainer trainer(ctx, network, set, {task}, config, {});
  for (NamedTensor& w : trainer.weights()) {
    w.name = prefix + "before." + w.name;
    out.push_back(std::move(w));
  }
  trainer.run();
  for (NamedTensor& w : trainer.weights()) {
    w.name = prefix + "after." + w.name;
    out.push_back(std::move(w));
  }
  std::vector<double> losses[2];
  for (const EpochRecord& r : trainer.history())
    for (const double loss : r.losses) losses[r.phase == "train"].push_back(loss);
  out.push_back(tensor(prefix + "losses.pretrain", {o.check_steps, 1}, losses[0]));
  out.push_back(tensor(prefix + "losses.train", {o.check_steps, 3}, losses[1]));
}

void export_case(const Options& o, const TrainingSet& set, Context& ctx) {
  std::vector<NamedTensor> all;
  all.push_back(tensor("x", {o.cells, o.genes}, dense<float>(set, o.cells)));
  all.push_back(tensor("batch", {o.batch, o.genes}, dense<double>(set, o.batch)));
  all.push_back(tensor("labels", {o.cells}, set.labels));
  all.push_back(tensor("index", {o.genes}, set.preparations[0].index));
  add_check(o, set, ctx, DType::f32, all);
  add_check(o, set, ctx, DType::f64, all);
  write_safetensors(o.file, {std::move(all), {}});
}

// Rounds of both phases. The first is a warm-up; each of the others waits for a line of stdin.
void serve(const Options& o, const TrainingSet& set, CpuContext& ctx) {
  constexpr std::int64_t kMostRounds = 2000;
  const Network network = scannonet::make_network(set.genes(), set.classes, o.dropout);
  const TrainerConfig config = make_config(network, o.batch, o.epochs, kMostRounds);
  std::vector<ReplicaTask> tasks(static_cast<std::size_t>(o.replicas));
  for (std::size_t k = 0; k < tasks.size(); ++k) {
    tasks[k].seed = static_cast<std::int64_t>(k);
    for (std::int64_t c = 0; c < o.cells; ++c) tasks[k].train.push_back(c);
  }
  const auto steps = static_cast<double>(o.epochs * ((o.cells + o.batch - 1) / o.batch) * o.replicas);
  double seconds[2] = {0, 0};
  std::int64_t epochs_done = 0, rounds = 0;
  bool over = false;
  TrainerHooks hooks;
  hooks.on_epoch = [&](const EpochRecord& r) {
    if (r.replica == 0) seconds[r.phase == "train"] += r.seconds;
  };
  hooks.on_checkpoint = [&] {
    if (++epochs_done % (2 * o.epochs) != 0) return;
    if (rounds++ > 0)
      std::cout << nlohmann::json({{"threads", ctx.threads()},
                                   {"replicas", o.replicas},
                                   {"phase1_ms", 1e3 * seconds[0] / steps},
                                   {"phase2_ms", 1e3 * seconds[1] / steps}})
                << std::endl;
    seconds[0] = seconds[1] = 0;
    std::string line;
    over = !std::getline(std::cin, line);
  };
  hooks.should_stop = [&] { return over; };
  Trainer trainer(ctx, network, set, tasks, config, hooks);
  try {
    trainer.run();
  } catch (const StoppedError&) {  // the end of stdin
  }
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app("Times training steps of scAnnoNet: milliseconds a step and replica.", "bench_scannonet_step");
  app.add_option("--cells", o.cells)->check(CLI::PositiveNumber);
  app.add_option("--genes", o.genes)->check(CLI::PositiveNumber);
  app.add_option("--classes", o.classes)->check(CLI::Range(2, 1000));
  app.add_option("--batch", o.batch)->check(CLI::PositiveNumber);
  app.add_option("--replicas", o.replicas)->check(CLI::Range(1, 1000));
  app.add_option("--epochs", o.epochs, "of each phase in a round")->check(CLI::PositiveNumber);
  app.add_option("--check-steps", o.check_steps, "of each phase in the exported check")->check(CLI::PositiveNumber);
  app.add_option("--density", o.density, "share of non-zero counts")->check(CLI::Range(0.001, 0.9));
  app.add_option("--threads", o.threads)->check(CLI::Range(1, 1024));
  app.add_option("--export", o.file, "write data, first and last weights and all losses of the check to this file");
  CLI11_PARSE(app, argc, argv);
  if (o.batch > o.cells) throw UsageError("--batch is larger than --cells");
  ThreadPool pool(o.threads);
  CpuContext ctx(o.threads > 1 ? &pool : nullptr);
  const TrainingSet set = make_set(o, pool);
  o.file.empty() ? serve(o, set, ctx) : export_case(o, set, ctx);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "bench_scannonet_step: {}\n", error.what());
    return static_cast<int>(error.code());
  }
}

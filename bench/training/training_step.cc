// SPDX-License-Identifier: Apache-2.0
// Our side of the comparison with PyTorch: whole training steps of a system as the trainer does them (draw the cells,
// gather them, forward, losses, backward, optimizer, schedule).
//
//   bench_training_step SYSTEM [options] --export FILE   writes what the other side needs and what it must arrive at
//   bench_training_step SYSTEM [options]                 times a round for every line of stdin, answers with JSON
#include <algorithm>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/training/step_case.h"
#include "engine/error.h"
#include "io/safetensors.h"

namespace {

using namespace genexx;
using namespace genexx::bench;

struct Options {
  std::string system;
  StepSizes sizes;
  std::int64_t replicas = 1, epochs = 1, check_steps = 20;
  int threads = 2;
  std::string file;  // --export
  std::string check = "both";
};

using MakeCase = std::function<StepCase(StepSizes, ThreadPool&)>;
const std::map<std::string, MakeCase>& systems() {
  static const std::map<std::string, MakeCase> all = {
      {"scannonet", scannonet_case}, {"dgex", dgex_case}, {"fly", fly_case}, {"transbrain", transbrain_case}};
  return all;
}

// The trainer's configuration without what happens between epochs, its phases `epochs` each, `times` times over.
TrainerConfig repeated(const TrainerConfig& once, std::int64_t epochs, std::int64_t times) {
  TrainerConfig config = once;
  for (PhaseConfig& phase : config.phases) {
    phase.epochs = epochs;
    phase.keep.clear();
    phase.ends_with = PhaseConfig::kLast;
    phase.patience = 0;
    phase.rate_on_rise = {};
  }
  const std::vector<PhaseConfig> phases = config.phases;
  if (phases.size() == 1) {
    config.phases[0].epochs *= times;
    return config;
  }
  for (std::int64_t i = 1; i < times; ++i) config.phases.insert(config.phases.end(), phases.begin(), phases.end());
  return config;
}

template <class T>
NamedTensor tensor(std::string name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  NamedTensor t = {std::move(name), DTypeOf<T>::value, std::move(shape), {}};
  t.bytes.resize(values.size() * sizeof(T));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

// The first `rows` cells as the network sees them, dense.
template <class T>
std::vector<T> dense(const TrainingSet& set, std::int64_t rows) {
  const Preparation& p = set.preparations[0];
  const auto genes = static_cast<std::size_t>(set.genes());
  const auto scaled = [&](double value, std::size_t g) {
    return static_cast<T>((value - static_cast<double>(p.shift[g])) * static_cast<double>(p.factor[g]));
  };
  std::vector<T> x(static_cast<std::size_t>(rows) * genes);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    for (std::size_t g = 0; g < genes; ++g)
      x[row * genes + g] = scaled(set.dense.empty() ? 0.0 : set.dense.value[row * genes + g], g);
    if (!set.dense.empty()) continue;
    for (std::int64_t k = set.data.row_begin[row]; k < set.data.row_begin[row + 1]; ++k) {
      const auto g = static_cast<std::size_t>(set.data.column[static_cast<std::size_t>(k)]);
      x[row * genes + g] = scaled(set.data.value[static_cast<std::size_t>(k)], g);
    }
  }
  return x;
}

void add_weights(const Trainer& trainer, const std::string& prefix, std::vector<NamedTensor>& out) {
  for (NamedTensor& w : trainer.weights()) {
    w.name = prefix + w.name;
    out.push_back(std::move(w));
  }
}

// Trains on one batch alone, dropout off, in `dtype`: weights before and after, and every loss of every step. The batch
// is all there is, so the order of its cells does not matter and the other side needs no random numbers of ours.
void add_check(const Options& o, const StepCase& c, Context& ctx, DType dtype, std::vector<NamedTensor>& out) {
  const std::string prefix = dtype == DType::f64 ? "f64." : "f32.";
  const Network network = c.network(StepDropout::off);
  TrainerConfig config = repeated(c.trainer(network), o.check_steps, 1);
  config.dtype = dtype;
  ReplicaTask task = {.seed = 1, .preparation = 0, .train = {}, .validation = {}};
  for (std::int64_t i = 0; i < c.sizes.batch; ++i) task.train.push_back(i);
  Trainer trainer(ctx, network, c.set, {task}, config, {});
  add_weights(trainer, prefix + "before.", out);
  trainer.run();
  if (dtype == DType::f64) add_weights(trainer, prefix + "after.", out);
  for (const PhaseConfig& phase : config.phases) {
    std::vector<double> losses;
    for (const EpochRecord& r : trainer.history())
      if (r.phase == phase.name) losses.insert(losses.end(), r.losses.begin(), r.losses.end());
    const auto each = static_cast<std::int64_t>(phase.losses.size());
    out.push_back(tensor(prefix + "losses." + phase.name, {o.check_steps, each}, losses));
  }
}

void export_case(const Options& o, const StepCase& c, Context& ctx) {
  std::vector<NamedTensor> all;
  all.push_back(tensor("x", {c.set.cells, c.set.genes()}, dense<float>(c.set, c.set.cells)));
  all.push_back(tensor("batch", {c.sizes.batch, c.set.genes()}, dense<double>(c.set, c.sizes.batch)));
  if (c.set.targets.empty()) {
    all.push_back(tensor("labels", {c.set.cells}, c.set.labels));
  } else {
    all.push_back(tensor("targets", {c.set.cells, c.set.targets.cols}, c.set.targets.value));
  }
  if (const std::vector<float>& index = c.set.preparations[0].index; !index.empty())
    all.push_back(tensor("index", {c.set.genes()}, index));
  if (o.check != "f64") add_check(o, c, ctx, DType::f32, all);
  if (o.check != "f32") add_check(o, c, ctx, DType::f64, all);
  std::map<std::string, std::string> sizes = {{"cells", std::to_string(c.sizes.cells)},
                                              {"inputs", std::to_string(c.sizes.inputs)},
                                              {"outputs", std::to_string(c.sizes.outputs)},
                                              {"batch", std::to_string(c.sizes.batch)}};
  if (c.sizes.hidden > 0) sizes["hidden layers"] = fmt::format("{} x {}", c.sizes.layers, c.sizes.hidden);
  if (c.sizes.density > 0) sizes["density"] = fmt::format("{}", c.sizes.density);
  write_safetensors(o.file, {std::move(all), std::move(sizes)});
}

// Rounds of all phases. The first is a warm-up; each of the others waits for a line of stdin.
void serve(const Options& o, const StepCase& c, CpuContext& ctx) {
  constexpr std::int64_t kMostRounds = 2000;
  const Network network = c.network(StepDropout::on);
  const TrainerConfig once = c.trainer(network), config = repeated(once, o.epochs, kMostRounds);
  std::vector<ReplicaTask> tasks(static_cast<std::size_t>(o.replicas));
  for (std::size_t k = 0; k < tasks.size(); ++k) {
    tasks[k].seed = static_cast<std::int64_t>(k);
    for (std::int64_t i = 0; i < c.set.cells; ++i) tasks[k].train.push_back(i);
  }
  const auto steps =
      static_cast<double>(o.epochs * epoch_steps(c.set.cells, config.batch, config.short_batch) * o.replicas);
  const auto epochs_of_round = o.epochs * static_cast<std::int64_t>(once.phases.size());
  std::map<std::string, double> seconds;
  std::int64_t epochs_done = 0, rounds = 0;
  bool over = false;
  TrainerHooks hooks;
  hooks.on_epoch = [&](const EpochRecord& r) {
    if (r.replica == 0) seconds[r.phase] += r.seconds;
  };
  hooks.on_checkpoint = [&] {
    if (++epochs_done % epochs_of_round != 0) return;
    if (rounds++ > 0) {
      nlohmann::json ms;
      for (const auto& [phase, time] : seconds) ms[phase] = 1e3 * time / steps;
      std::cout << nlohmann::json({{"threads", ctx.threads()}, {"replicas", o.replicas}, {"ms", ms}}) << std::endl;
    }
    seconds.clear();
    std::string line;
    over = !std::getline(std::cin, line);
  };
  hooks.should_stop = [&] { return over; };
  Trainer trainer(ctx, network, c.set, tasks, config, hooks);
  try {
    trainer.run();
  } catch (const StoppedError&) {  // the end of stdin
  }
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app("Times training steps: milliseconds a step and replica.", "bench_training_step");
  app.add_option("system", o.system)->required()->check(CLI::IsMember({"scannonet", "dgex", "fly", "transbrain"}));
  app.add_option("--cells", o.sizes.cells)->check(CLI::PositiveNumber);
  app.add_option("--inputs", o.sizes.inputs, "genes, or landmarks")->check(CLI::PositiveNumber);
  app.add_option("--outputs", o.sizes.outputs, "classes, or targets")->check(CLI::Range(2, 1000000));
  app.add_option("--hidden", o.sizes.hidden, "width of the hidden layers")->check(CLI::PositiveNumber);
  app.add_option("--layers", o.sizes.layers, "hidden layers")->check(CLI::PositiveNumber);
  app.add_option("--batch", o.sizes.batch)->check(CLI::PositiveNumber);
  app.add_option("--density", o.sizes.density, "share of non-zero counts")->check(CLI::Range(0.001, 0.9));
  app.add_option("--replicas", o.replicas)->check(CLI::Range(1, 1000));
  app.add_option("--epochs", o.epochs, "of each phase in a round")->check(CLI::PositiveNumber);
  app.add_option("--check-steps", o.check_steps, "of each phase in the exported check")->check(CLI::PositiveNumber);
  app.add_option("--check", o.check, "precisions of the exported check")->check(CLI::IsMember({"f32", "f64", "both"}));
  app.add_option("--threads", o.threads)->check(CLI::Range(1, 1024));
  app.add_option("--export", o.file, "write data, weights and all losses of the check to this file");
  CLI11_PARSE(app, argc, argv);
  ThreadPool pool(o.threads);
  CpuContext ctx(o.threads > 1 ? &pool : nullptr);
  const StepCase c = systems().at(o.system)(o.sizes, pool);
  if (c.sizes.batch > c.sizes.cells) throw UsageError("--batch is larger than --cells");
  o.file.empty() ? serve(o, c, ctx) : export_case(o, c, ctx);
  return 0;
}

}  // namespace

void genexx::bench::fill_in(StepSizes& sizes, const StepSizes& defaults) {
  const auto fill = [](auto& size, auto preset) { size = size == 0 ? preset : size; };
  fill(sizes.cells, defaults.cells);
  fill(sizes.inputs, defaults.inputs);
  fill(sizes.outputs, defaults.outputs);
  fill(sizes.hidden, defaults.hidden);
  fill(sizes.layers, defaults.layers);
  fill(sizes.batch, defaults.batch);
  fill(sizes.density, defaults.density);
}

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "bench_training_step: {}\n", error.what());
    return static_cast<int>(error.code());
  }
}

// SPDX-License-Identifier: Apache-2.0
// Our side of the comparison of training steps: whole steps of a system as the trainer does them (draw the cells,
// gather them, forward, losses, backward, optimizer, schedule).
//
//   bench_training_step SYSTEM [options] --export FILE   writes what the other side needs and what it must arrive at
//   bench_training_step SYSTEM [options] --gate          how far it is from f64, and whether two runs agree
//   bench_training_step SYSTEM [options] --model FILE    trains --epochs of each phase and writes the weights
//   bench_training_step SYSTEM [options]                 times a round for every line of stdin, answers with JSON
#include <functional>
#include <map>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "bench/training/step_options.h"
#include "engine/device.h"
#include "engine/error.h"
#include "engine/precision.h"

namespace {

using namespace genexx;
using namespace genexx::bench;

using MakeCase = std::function<StepCase(StepSizes, ThreadPool&)>;
const std::map<std::string, MakeCase>& systems() {
  static const std::map<std::string, MakeCase> all = {
      {"scannonet", scannonet_case}, {"dgex", dgex_case}, {"fly", fly_case}, {"transbrain", transbrain_case}};
  return all;
}

void add_sizes(CLI::App& app, StepOptions& o) {
  app.add_option("--cells", o.sizes.cells)->check(CLI::PositiveNumber);
  app.add_option("--inputs", o.sizes.inputs, "genes, or landmarks")->check(CLI::PositiveNumber);
  app.add_option("--outputs", o.sizes.outputs, "classes, or targets")->check(CLI::Range(2, 1000000));
  app.add_option("--hidden", o.sizes.hidden, "width of the hidden layers")->check(CLI::PositiveNumber);
  app.add_option("--layers", o.sizes.layers, "hidden layers")->check(CLI::PositiveNumber);
  app.add_option("--batch", o.sizes.batch)->check(CLI::PositiveNumber);
  app.add_option("--density", o.sizes.density, "share of non-zero counts")->check(CLI::Range(0.001, 0.9));
}

void add_options(CLI::App& app, StepOptions& o) {
  app.add_option("system", o.system)->required()->check(CLI::IsMember({"scannonet", "dgex", "fly", "transbrain"}));
  add_sizes(app, o);
  app.add_option("--replicas", o.replicas)->check(CLI::Range(1, 1000));
  app.add_option("--epochs", o.epochs, "of each phase in a round, or of --model")->check(CLI::PositiveNumber);
  app.add_option("--warm-steps", o.warm_steps, "at least so many before the first round")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--check-steps", o.check_steps, "of each phase in a check")->check(CLI::PositiveNumber);
  app.add_option("--check", o.check, "precisions of the exported check")
      ->check(CLI::IsMember({"f32", "f64", "both", "none"}));
  app.add_option("--threads", o.threads)->check(CLI::Range(1, 1024));
  app.add_option("--device", o.device, "cpu or cuda:N");
  app.add_option("--precision", o.precision, "of matrix products: fp32, 3xtf32, tf32, bf16");
  app.add_option("--moments", o.moments, "storage of the optimizer's moments")->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--export", o.export_file, "write data, weights and all losses of the check to this file");
  app.add_option("--from", o.from_file, "take the data of this exported file");
  app.add_option("--model", o.model_file, "train and write the weights to this file");
  app.add_flag("--gate", o.gate, "say how far the device is from f64 on the CPU");
}

int run(int argc, char** argv) {
  StepOptions o;
  CLI::App app("Times training steps: milliseconds a step and replica.", "bench_training_step");
  add_options(app, o);
  CLI11_PARSE(app, argc, argv);
  ThreadPool pool(o.threads);
  StepCase c = systems().at(o.system)(o.sizes, pool);
  if (c.sizes.batch > c.sizes.cells) throw UsageError("--batch is larger than --cells");
  if (!o.from_file.empty()) take_data(o.from_file, c);
  if (!o.export_file.empty()) {
    export_case(o, c, pool);
  } else if (!o.model_file.empty()) {
    train_model(o, with_moments(o, c), pool);
  } else if (o.gate) {
    report_gate(o, c, pool);
  } else {
    serve_rounds(o, with_moments(o, c), pool);
  }
  return 0;
}

}  // namespace

namespace genexx::bench {

std::unique_ptr<Context> make_step_context(const StepOptions& options, ThreadPool& pool) {
  std::unique_ptr<Context> ctx = make_context(options.device, options.threads > 1 ? &pool : nullptr);
  ctx->precision = parse_precision(options.precision);
  return ctx;
}

StepCase with_moments(const StepOptions& options, StepCase c) {
  const DType moments = moments_called(options.moments);
  c.trainer = [moments, trainer = c.trainer](const Network& network) {
    TrainerConfig config = trainer(network);
    for (PhaseConfig& phase : config.phases) phase.optimizer.moments = moments;
    return config;
  };
  return c;
}

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

void fill_in(StepSizes& sizes, const StepSizes& defaults) {
  const auto fill = [](auto& size, auto preset) { size = size == 0 ? preset : size; };
  fill(sizes.cells, defaults.cells);
  fill(sizes.inputs, defaults.inputs);
  fill(sizes.outputs, defaults.outputs);
  fill(sizes.hidden, defaults.hidden);
  fill(sizes.layers, defaults.layers);
  fill(sizes.batch, defaults.batch);
  fill(sizes.density, defaults.density);
}

}  // namespace genexx::bench

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    fmt::print(stderr, "bench_training_step: {}\n", error.what());
    return static_cast<int>(error.code());
  }
}

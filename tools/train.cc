// SPDX-License-Identifier: Apache-2.0
// genexx train: the whole job of a system, from a file to a model, its metrics and its report.
#include <chrono>

#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "io/safetensors.h"
#include "io/sha256.h"
#include "models/config.h"
#include "models/metrics_json.h"
#include "models/scannonet/training.h"
#include "tools/evaluation_report.h"
#include "tools/memory_budget.h"
#include "tools/process_status.h"
#include "tools/train_dgex.h"
#include "tools/train_options.h"
#include "tools/train_outputs.h"
#include "tools/train_transbrain.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// What tells this run from others; a checkpoint of another identity is refused.
nlohmann::json identity_of(const TrainOptions& o, const nlohmann::json& config, const Context& ctx) {
  nlohmann::json identity = {{"config", config},
                             {"seed", o.seed},
                             {"replicas", o.folds > 0 ? o.folds : o.replicas},
                             {"folds", o.folds},
                             {"sha256", sha256_of(o.reading.data)},
                             {"label", o.reading.label_column},
                             {"device", ctx.device() == DeviceType::cpu ? "cpu" : "cuda"},
                             {"cpu_isa", o.cpu_isa.empty() ? name_of(best_cpu_isa()) : o.cpu_isa}};
  const std::string order = config.value("/prepare/gene_order"_json_pointer, std::string());
  if (!order.empty()) identity["gene_order_sha256"] = sha256_of(order);
  return identity;
}

Calibration fit_calibration(const Judged& judged, const PreparedCells& p, double error_rate) {
  std::vector<std::int32_t> truth;
  for (const std::int64_t c : p.splits[0].validation) truth.push_back(p.set.labels[static_cast<std::size_t>(c)]);
  if (truth.empty()) return {};
  return calibrate({.classes = p.set.classes, .truth = truth, .probability = judged.validation_probability},
                   error_rate);
}

// The trained replicas on every part of their splits; on validation cells, which must not have been learned, those that
// these chose.
Judged judge(Context& ctx, const TrainingPlan& plan, const TrainedReplicas& trained) {
  Judged judged = judge(ctx, plan.network, plan.prepared, plan.tasks, trained.weights);
  if (trained.validated.empty()) return judged;
  Judged before = judge(ctx, plan.network, plan.prepared, plan.tasks, trained.validated);
  judged.validation = std::move(before.validation);
  judged.validation_probability = std::move(before.validation_probability);
  return judged;
}

// All replicas of a plan with one split, as one calibrated model.
Model model_of(const TrainingPlan& plan, const TrainedReplicas& trained, const Judged& judged, double error_rate) {
  const auto replicas = static_cast<std::int64_t>(plan.tasks.size());
  Model model = make_model(plan.system, plan.network, plan.prepared, trained.weights, 0, replicas, 0);
  model.calibration = fit_calibration(judged, plan.prepared, error_rate);
  return model;
}

void save_model(const RunDirectory& out, const Model& model) {
  ModelParts parts = to_parts(model);
  write_safetensors(out.file("model.safetensors"), {std::move(parts.tensors), std::move(parts.metadata)});
}

// Says what is going to be done. Returns the most memory it will take; throws DeviceError where that is not there.
std::int64_t announce(const TrainingPlan& plan, const TrainOptions& o, Console& console) {
  const std::int64_t more =
      estimate_training_bytes(plan.network, plan.prepared, plan.tasks, plan.trainer, thread_count(o.reading));
  const std::int64_t estimate = peak_memory_with(more);
  for (const std::string& warning : plan.prepared.warnings) console.warn(warning);
  console.say(
      fmt::format("{} classes, {} genes chosen, {} cells to train on, batch {}, {} replicas; about {} of memory",
                  plan.prepared.classes.size(), plan.prepared.fitted.columns.size(), plan.tasks[0].train.size(),
                  plan.trainer.batch, plan.tasks.size(), bytes_text(estimate)));
  if (!plan.prepared.synthetic_begin.empty())
    console.say(fmt::format("of the cells to train on, {} are synthetic",
                            plan.prepared.synthetic_begin[1] - plan.prepared.synthetic_begin[0]));
  expect_memory(more, "training", memory_check(o.reading));
  return estimate;
}

// --refit: after cross-validation a model of all cells, save those that choose its weights. Its records lie in refit/,
// its metrics go into `metrics`.
Model refit(Context& ctx, const TrainOptions& o, const SystemConfig& config, const CellInput& input,
            const Dataset& data, TrainingRecords records, nlohmann::json& metrics) {
  const TrainingPlan plan =
      plan_training(ctx, input, config, {.seed = o.seed, .test_cells = TestCells::none}, o.replicas);
  records.console.say("refit:");
  announce(plan, o, records.console);
  records.checkpoint = kRefitCheckpoint;
  records.identity["replicas"] = o.replicas;
  const TrainedReplicas trained = run_training(ctx, plan, records);
  const Judged judged = judge(ctx, plan, trained);
  records.out.make_folder("refit");
  write_training_tables(records.out, "refit/", {data, plan, trained, "replicas", o.seed});
  metrics["refit"] = {{"validation", metrics_json(judged.validation, plan.prepared.classes)},
                      {"train", metrics_json(judged.train, plan.prepared.classes)}};
  return model_of(plan, trained, judged, o.unknown_error_rate);
}

void train(const TrainOptions& o, Program& program) {
  Console& console = program.console;
  check_combination(o);
  const SystemConfig config = resolve_config(o);
  const nlohmann::json config_json = to_json(config);
  if (o.dump_config) return fmt::print("{}\n", config_json.dump(2));
  if (o.out.empty()) throw UsageError("--out DIR is needed: the directory to write model, metrics and report to");
  ThreadPool pool(thread_count(o.reading));
  const std::unique_ptr<Context> ctx = device_context(o.device, o.cpu_isa, pool);
  StageSeconds seconds;
  Dataset data = read_dataset(o.reading, Labels::required, console);
  seconds.read = data.read_seconds;

  auto begin = Clock::now();
  const CellInput input = preparation_input(data, o.reading);
  if (input.input == Recipe::InputKind::log_normalized)
    console.say("the values are log-normalised already: library size and logarithm are skipped");
  const TrainingPlan plan =
      plan_training(*ctx, input, config, {.folds = o.folds, .seed = o.seed}, o.folds > 0 ? o.folds : o.replicas);
  seconds.prepare = since(begin);
  const std::int64_t estimated_memory = announce(plan, o, console);
  if (o.dry_run) return;

  RunDirectory out(o.out, o.resume              ? RunDirectory::Use::resume
                          : o.reading.overwrite ? RunDirectory::Use::replace
                                                : RunDirectory::Use::fresh);
  const nlohmann::json identity = identity_of(o, config_json, *ctx);
  const nlohmann::json description = describe_run(identity, o.reading.data, program.command_line);
  out.log("start", description);
  const TrainingRecords records = {.out = out,
                                   .console = console,
                                   .checkpoint = kMainCheckpoint,
                                   .identity = identity,
                                   .start = o.resume ? TrainingRecords::Start::resume : TrainingRecords::Start::fresh};
  begin = Clock::now();
  const TrainedReplicas trained = run_training(*ctx, plan, records);
  seconds.train = since(begin);

  begin = Clock::now();
  const Judged judged = judge(*ctx, plan, trained);
  seconds.test = since(begin);
  const FinishedRun run = {data,        plan,   trained, judged,  config_json,
                           description, o.seed, o.folds, seconds, estimated_memory};
  nlohmann::json metrics = metrics_document(run);
  if (o.folds == 0 || o.refit) {
    Model model = o.folds == 0 ? model_of(plan, trained, judged, o.unknown_error_rate)
                               : refit(*ctx, o, config, input, data, records, metrics);
    model.summary = {{"run", description},
                     {"config", config_json},
                     {"test", {{"accuracy", metrics["test"]["accuracy"]}, {"macro_f1", metrics["test"]["macro_f1"]}}}};
    save_model(out, model);
  }
  write_tables(out, run);
  write_training_report(out, run, metrics);
  out.write_json("metrics.json", metrics);  // last: who finds it finds the others too
  out.log("end", {{"seconds", metrics["seconds"]},
                  {"peak_memory_bytes", metrics["peak_memory_bytes"]},
                  {"test_accuracy", metrics["test"]["accuracy"]}});
  console.say(fmt::format("test accuracy {}, macro F1 {}; report: {}", figure_text(metrics["test"]["accuracy"]),
                          figure_text(metrics["test"]["macro_f1"]), out.file("report.html")));
}

}  // namespace

void add_train(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("train", "Does the whole job of a system: read, select, split, train, test, report.");
  const auto o = std::make_shared<TrainOptions>();
  add_train_options(*verb, *o);
  verb->callback([&program, o] {
    program.action = [&program, o] {
      check_gene_order(*o);
      if (o->model == "dgex") return train_dgex(*o, program);
      if (o->model == "transbrain") return train_transbrain(*o, program);
      train(*o, program);
    };
  });
}

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
#include "tools/finish_training.h"

#include <chrono>

#include <fmt/format.h>

#include "io/safetensors.h"
#include "io/sha256.h"
#include "tools/evaluation_report.h"
#include "tools/memory_budget.h"
#include "tools/process_status.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

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

void save_model(const RunDirectory& out, const Model& model) {
  ModelParts parts = to_parts(model);
  write_safetensors(out.file("model.safetensors"), {std::move(parts.tensors), std::move(parts.metadata)});
}

}  // namespace

nlohmann::json identity_of(const TrainOptions& o, const nlohmann::json& config, const Context& ctx) {
  nlohmann::json identity = {{"config", config},
                             {"seed", o.seed},
                             {"replicas", o.folds > 0 ? o.folds : o.replicas},
                             {"folds", o.folds},
                             {"sha256", sha256_of(o.reading.data)},
                             {"label", o.reading.label_column},
                             {"device", ctx.device() == DeviceType::cpu ? "cpu" : "cuda"},
                             {"cpu_isa", o.on.isa()},
                             {"precision", name_of(ctx.precision)}};
  const std::string order = config.value("/prepare/gene_order"_json_pointer, std::string());
  if (!order.empty()) identity["gene_order_sha256"] = sha256_of(order);
  return identity;
}

std::int64_t announce(const TrainingPlan& plan, const ReadingOptions& reading, const Communicator& ranks,
                      Console& console) {
  const std::int64_t more = estimate_training_bytes(plan.network, plan.prepared, largest_share(plan.tasks, ranks),
                                                    plan.trainer, thread_count(reading));
  const std::int64_t estimate = peak_memory_with(more);
  for (const std::string& warning : plan.prepared.warnings) console.warn(warning);
  console.say(
      fmt::format("{} classes, {} genes chosen, {} cells to train on, batch {}, {} replicas; about {} of memory",
                  plan.prepared.classes.size(), plan.prepared.fitted.columns.size(), plan.tasks[0].train.size(),
                  plan.trainer.batch, plan.tasks.size(), bytes_text(estimate)));
  if (!plan.prepared.synthetic_begin.empty())
    console.say(fmt::format("of the cells to train on, {} are synthetic",
                            plan.prepared.synthetic_begin[1] - plan.prepared.synthetic_begin[0]));
  expect_memory(more * ranks.local_size(), "training", memory_check(reading));
  return estimate;
}

TrainedAndJudged train_and_judge(Context& ctx, const TrainingPlan& plan, const TrainingRecords& records,
                                 StageSeconds& seconds) {
  TrainedAndJudged outcome;
  auto begin = Clock::now();
  outcome.trained = run_training(ctx, plan, records);
  seconds.train = since(begin);
  if (!records.out.is_writer()) return outcome;
  begin = Clock::now();
  outcome.judged = judge(ctx, plan, outcome.trained);
  seconds.test = since(begin);
  return outcome;
}

Model model_of(const TrainingPlan& plan, const TrainedAndJudged& outcome, double unknown_error_rate) {
  const auto replicas = static_cast<std::int64_t>(plan.tasks.size());
  Model model = make_model(plan.system, plan.network, plan.prepared, outcome.trained.weights, 0, replicas, 0);
  model.calibration = fit_calibration(outcome.judged, plan.prepared, unknown_error_rate);
  return model;
}

void finish_training(RunDirectory& out, Console& console, const FinishedRun& run, std::optional<Model> model,
                     const nlohmann::json& metrics) {
  if (model) {
    model->summary = {{"run", run.identity},
                      {"config", run.config},
                      {"test", {{"accuracy", metrics["test"]["accuracy"]}, {"macro_f1", metrics["test"]["macro_f1"]}}}};
    save_model(out, *model);
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

}  // namespace genexx::tools

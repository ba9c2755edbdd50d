// SPDX-License-Identifier: Apache-2.0
// genexx train: the whole job of a system, from a file to a model, its metrics and its report.
#include <chrono>

#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "models/metrics_json.h"
#include "tools/finish_training.h"
#include "tools/train_dgex.h"
#include "tools/train_options.h"
#include "tools/train_transbrain.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;

// --refit: after cross-validation a model of all cells, save those that choose its weights. Its records lie in refit/,
// its metrics go into `metrics`.
Model refit(Context& ctx, const TrainOptions& o, const SystemConfig& config, const CellInput& input,
            const Dataset& data, TrainingRecords records, nlohmann::json& metrics) {
  const SingleRank alone;
  const Communicator* several = records.out.ranks();
  const Communicator& ranks = several ? *several : static_cast<const Communicator&>(alone);
  const TrainingPlan plan =
      plan_training(ctx, input, config, {.seed = o.seed, .test_cells = TestCells::none}, o.replicas);
  records.console.say("refit:");
  announce(plan, o.reading, ranks, records.console);
  records.checkpoint = kRefitCheckpoint;
  records.identity["replicas"] = o.replicas;
  StageSeconds seconds;
  const TrainedAndJudged outcome = train_and_judge(ctx, plan, records, seconds);
  if (!records.out.is_writer()) return {};
  records.out.make_folder("refit");
  write_training_tables(records.out, "refit/", {data, plan, outcome.trained, "replicas", o.seed});
  metrics["refit"] = {{"validation", metrics_json(outcome.judged.validation, plan.prepared.classes)},
                      {"train", metrics_json(outcome.judged.train, plan.prepared.classes)}};
  return model_of(plan, outcome, o.unknown_error_rate);
}

void train(const TrainOptions& o, Program& program) {
  Console& console = program.console;
  check_combination(o);
  const SystemConfig config = resolve_config(o);
  const nlohmann::json config_json = to_json(config);
  if (o.dump_config) return fmt::print("{}\n", config_json.dump(2));
  if (o.out.empty()) throw UsageError("--out DIR is needed: the directory to write model, metrics and report to");
  if (!o.dry_run && program.ranks.get().is_root()) RunDirectory::expect(o.out, use_of(o));
  ThreadPool pool(thread_count(o.reading));
  const std::unique_ptr<Context> ctx = device_context(o.on, pool);
  StageSeconds seconds;
  Dataset data = read_dataset(o.reading, Labels::required, console);
  seconds.read = data.read_seconds;

  const auto begin = Clock::now();
  const CellInput input = preparation_input(data, o.reading);
  say_what_is_skipped(input, console);
  const TrainingPlan plan =
      plan_training(*ctx, input, config, {.folds = o.folds, .seed = o.seed}, o.folds > 0 ? o.folds : o.replicas);
  seconds.prepare = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::int64_t estimated_memory = announce(plan, o.reading, program.ranks.get(), console);
  if (o.dry_run) return;

  RunDirectory out(o.out, use_of(o), &program.ranks.get());
  const nlohmann::json identity = identity_of(o, config_json, *ctx);
  const nlohmann::json description = describe_run(identity, o.reading.data, program.command_line);
  out.log("start", description);
  const TrainingRecords records = {.out = out,
                                   .console = console,
                                   .checkpoint = kMainCheckpoint,
                                   .identity = identity,
                                   .start = o.resume ? TrainingRecords::Start::resume : TrainingRecords::Start::fresh};
  const TrainedAndJudged outcome = train_and_judge(*ctx, plan, records, seconds);
  if (!out.is_writer()) {  // rank 0 judges and writes
    nlohmann::json none;
    if (o.refit) refit(*ctx, o, config, input, data, records, none);
    return;
  }
  const FinishedRun run = {data,        plan,   outcome.trained, outcome.judged, config_json,
                           description, o.seed, o.folds,         seconds,        estimated_memory};
  nlohmann::json metrics = metrics_document(run);
  std::optional<Model> model;
  if (o.folds == 0) model = model_of(plan, outcome, o.unknown_error_rate);
  if (o.refit) model = refit(*ctx, o, config, input, data, records, metrics);
  finish_training(out, console, run, std::move(model), metrics);
}

}  // namespace

void add_train(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("train", "Does the whole job of a system: read, select, split, train, test, report.");
  const auto o = std::make_shared<TrainOptions>();
  add_train_options(*verb, *o);
  verb->callback([&program, o] {
    program.action = [&program, o] {
      check_options_of_system(*o);
      join_ranks(*o, program);
      if (o->model == "dgex") return train_dgex(*o, program);
      if (o->model == "transbrain") return train_transbrain(*o, program);
      train(*o, program);
    };
  });
}

}  // namespace genexx::tools

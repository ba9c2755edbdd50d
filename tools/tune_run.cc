// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_run.h"

#include <chrono>
#include <numeric>

#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "io/report.h"
#include "models/config.h"
#include "models/mlp/preparation.h"
#include "models/mlp/tuned.h"
#include "tools/evaluation_report.h"
#include "tools/finish_training.h"
#include "tools/process_status.h"
#include "tools/tune_outputs.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// What a search is told: how to search, and how to train apart from what is drawn.
struct Settings {
  SystemConfig system;
  tune::Config search;

  mlp::Config& model() { return std::get<mlp::Config>(system.settings); }
  // As a configuration file of genexx tune.
  nlohmann::json json() const {
    nlohmann::json all = to_json(system);
    all.update(to_json_config(search));
    return all;
  }
};

// Settings of the model that a search draws itself.
constexpr const char* kDrawn[] = {"network.widths", "network.dropout", "train.batch", "train.learning_rate",
                                  "train.weight_decay"};

Settings resolve(const TuneOptions& o, Console& console) {
  nlohmann::json given = given_settings(o.train), search = nlohmann::json::object();
  if (const auto found = given.find("tune"); found != given.end()) {
    search["tune"] = std::move(*found);
    given.erase(found);
  }
  for (const auto& [key, value] :
       {std::pair{"tune.trials", o.trials}, std::pair{"tune.epochs", o.epochs}, std::pair{"tune.halving", o.halving}})
    if (value) set_dotted(search, key, *value);
  Settings settings = {resolve_config(o.train, given), {}};
  apply_json(settings.search, search);
  check_given(search, settings.search);
  check(tune::resolved(settings.search, 0, 0));
  const nlohmann::json untouched = to_json_config(mlp::Config());
  for (const char* key : kDrawn)
    if (const nlohmann::json* value = find_dotted(given, key); value && *value != *find_dotted(untouched, key))
      console.warn(
          fmt::format("{} is drawn for every trial; the value given for it is not used (docs/tune.md says how to "
                      "hold one fast)",
                      key));
  return settings;
}

std::vector<std::int64_t> trials_of(const TuneOptions& o, const tune::Config& config) {
  if (o.only_trial) return {*o.only_trial};
  std::vector<std::int64_t> all(static_cast<std::size_t>(config.trials));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  return all;
}

// A search without successive halving may be resumed with more trials: those there are stay as they are.
nlohmann::json identity_of_search(const TuneOptions& o, nlohmann::json settings, const tune::Config& config,
                                  const Context& ctx) {
  if (config.halving == 0) settings["tune"].erase("trials");
  nlohmann::json identity = identity_of(o.train, settings, ctx);
  identity["only_trial"] = o.only_trial ? nlohmann::json(*o.only_trial) : nlohmann::json();
  return identity;
}

// One search, from data to files.
class TuneRun {
 public:
  TuneRun(const TuneOptions& o, Settings settings, Program& program)
      : o_(o),
        settings_(std::move(settings)),
        program_(program),
        console_(program.console),
        pool_(thread_count(o.train.reading)),
        ctx_(device_context(o.train.on, pool_)),
        data_(read_dataset(o.train.reading, Labels::required, console_)),
        input_(preparation_input(data_, o.train.reading)) {
    seconds_.read = data_.read_seconds;
  }

  void run() {
    prepare();
    if (o_.train.dry_run) return;
    RunDirectory out(o_.train.out, use_of(o_.train), &program_.ranks.get());
    const nlohmann::json identity = identity_of_search(o_, settings_.json(), settings_.search, *ctx_);
    description_ = describe_run(identity, o_.train.reading.data, program_.command_line);
    out.log("start", description_);
    const TrainingRecords records = {
        .out = out,
        .console = console_,
        .checkpoint = "",
        .identity = identity,
        .start = o_.train.resume ? TrainingRecords::Start::resume : TrainingRecords::Start::fresh};
    const mlp::Config base = mlp::resolved(settings_.model(), cells_);
    Search search({.ctx = *ctx_,
                   .config = settings_.search,
                   .base = base,
                   .trials = trials_of(o_, settings_.search),
                   .reading = o_.train.reading,
                   .seed = o_.train.seed},
                  plan_, records);
    const auto begin = Clock::now();
    search.run();
    search_seconds_ = since(begin);
    finish(search, records);
  }

 private:
  void prepare() {
    const auto begin = Clock::now();
    say_what_is_skipped(input_, console_);
    plan_ = plan_training(*ctx_, input_, settings_.system, {.seed = o_.train.seed}, 1);
    if (plan_.prepared.splits[0].validation.empty())
      throw UsageError("tune compares trials by validation cells, and there are none: split.validation is " +
                       std::to_string(settings_.model().validation_fraction));
    for (const std::string& warning : plan_.prepared.warnings) console_.warn(warning);
    cells_ = mlp::labelled_cells(input_, settings_.model());
    settings_.search = tune::resolved(settings_.search, cells_, mlp::resolved(settings_.model(), cells_).epochs);
    seconds_.prepare = since(begin);
    console_.say(fmt::format("{} classes, {} genes chosen, {} cells to train on, {} to compare trials by",
                             plan_.prepared.classes.size(), plan_.prepared.fitted.columns.size(),
                             plan_.prepared.splits[0].train.size(), plan_.prepared.splits[0].validation.size()));
  }

  // Tables and figure of the search, then the model of the best trial.
  void finish(const Search& search, const TrainingRecords& records) {
    write_search(records.out, search, plan_.trainer.phases, settings_.json());
    const std::size_t best = search.ranking().front();
    const Trial& winner = search.trials()[best];
    if (winner.result.diverged)
      throw RuntimeError("every trial diverged: no loss stayed finite; try a lower tune.learning_rate.high");
    console_.say(fmt::format(
        "best is trial {}: validation accuracy {:.3f}, macro F1 {:.3f}, loss {:.4f} after epoch {}", winner.number,
        winner.result.best.accuracy, winner.result.best.macro_f1, winner.result.best.loss, winner.result.best_epoch));
    settings_.model() = mlp::tuned(settings_.model(), winner.hyperparameters);
    best_json_ = to_json(settings_.system);
    records.out.write_json("best.json", best_json_);
    const nlohmann::json summary = search_summary(search, best, search_seconds_);
    nlohmann::json section = tuning_section(search, settings_.search);
    o_.refit ? refit(records, winner.number, summary, std::move(section))
             : leave_without_model(records.out, summary, std::move(section));
  }

  void refit(TrainingRecords records, std::int64_t number, const nlohmann::json& summary, nlohmann::json section) {
    console_.say(fmt::format("training a model as trial {}:", number));
    lay_out(plan_, mlp::resolved(settings_.model(), cells_), 1, o_.train.seed);
    const std::int64_t estimated_memory = announce(plan_, o_.train.reading, program_.ranks.get(), console_);
    records.checkpoint = fmt::format("refit-as-trial-{}", number);
    records.identity["config"] = best_json_;
    const TrainedAndJudged outcome = train_and_judge(*ctx_, plan_, records, seconds_);
    if (!records.out.is_writer()) return;
    const FinishedRun run = {data_,
                             plan_,
                             outcome.trained,
                             outcome.judged,
                             best_json_,
                             description_,
                             o_.train.seed,
                             0,
                             seconds_,
                             estimated_memory,
                             {{"tuning", std::move(section)}}};
    nlohmann::json metrics = metrics_document(run);
    metrics["tune"] = summary;
    metrics["seconds"]["tune"] = search_seconds_;
    finish_training(records.out, console_, run, model_of(plan_, outcome, o_.train.unknown_error_rate), metrics);
  }

  void leave_without_model(RunDirectory& out, const nlohmann::json& summary, nlohmann::json section) {
    if (!out.is_writer()) return;
    nlohmann::json report = report_frame(data_, plan_, description_);
    report["model"].erase("parameters");
    report["model"].erase("replicas");
    report["summary"] = fmt::format(
        "{} trials were compared by {} validation cells; trial {} is the best, and no model was trained by it.",
        summary.at("trials").get<std::int64_t>(), plan_.prepared.splits[0].validation.size(),
        summary.at("best_trial").get<std::int64_t>());
    report["tuning"] = std::move(section);
    report["seconds"] = {{"read", seconds_.read}, {"prepare", seconds_.prepare}, {"tune", search_seconds_}};
    report["memory"] = {{"peak_bytes", peak_memory()}};
    report["warnings"] = plan_.prepared.warnings;
    report["config"] = best_json_;
    write_report(out.file("report.html"), report);
    out.write_json("metrics.json", {{"tune", summary},
                                    {"seconds", report["seconds"]},
                                    {"peak_memory_bytes", peak_memory()},
                                    {"warnings", plan_.prepared.warnings}});
    out.log("end", {{"seconds", report["seconds"]}, {"peak_memory_bytes", peak_memory()}});
    console_.say("report: " + out.file("report.html"));
  }

  const TuneOptions& o_;
  Settings settings_;
  Program& program_;
  Console& console_;
  ThreadPool pool_;
  std::unique_ptr<Context> ctx_;
  Dataset data_;
  CellInput input_;
  TrainingPlan plan_;
  std::int64_t cells_ = 0;  // with a label that counts
  StageSeconds seconds_;
  double search_seconds_ = 0;
  nlohmann::json description_, best_json_;
};

}  // namespace

void tune_model(const TuneOptions& o, Program& program) {
  Settings settings = resolve(o, program.console);
  if (o.train.dump_config) return fmt::print("{}\n", settings.json().dump(2));
  if (o.train.out.empty())
    throw UsageError("--out DIR is needed: the directory to write the table of trials, model, metrics and report to");
  if (!o.train.dry_run && program.ranks.get().is_root()) RunDirectory::expect(o.train.out, use_of(o.train));
  TuneRun(o, std::move(settings), program).run();
}

}  // namespace genexx::tools

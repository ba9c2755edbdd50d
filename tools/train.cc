// SPDX-License-Identifier: Apache-2.0
// genexx train: the whole job of a system, from a file to a model, its metrics and its report.
#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "engine/version.h"
#include "io/safetensors.h"
#include "io/sha256.h"
#include "models/config.h"
#include "models/scannonet/network.h"
#include "models/scannonet/training.h"
#include "tools/evaluation_report.h"
#include "tools/stop_signal.h"
#include "tools/train_options.h"
#include "tools/train_outputs.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

Recipe::InputKind input_kind(MatrixKind kind) {
  if (kind == MatrixKind::counts) return Recipe::InputKind::counts;
  return kind == MatrixKind::scaled ? Recipe::InputKind::scaled : Recipe::InputKind::log_normalized;
}

// What tells this run from others; a checkpoint of another identity is refused.
nlohmann::json identity_of(const TrainOptions& o, const nlohmann::json& config, const Context& ctx) {
  return {{"config", config},
          {"seed", o.seed},
          {"replicas", o.folds > 0 ? o.folds : o.replicas},
          {"folds", o.folds},
          {"sha256", sha256_of(o.reading.data)},
          {"label", o.reading.label_column},
          {"device", ctx.device() == DeviceType::cpu ? "cpu" : "cuda"},
          {"cpu_isa", o.cpu_isa.empty() ? name_of(best_cpu_isa()) : o.cpu_isa}};
}

nlohmann::json description_of(const TrainOptions& o, const nlohmann::json& identity, const std::string& command) {
  nlohmann::json d = identity;
  d.erase("config");
  d["command"] = command;
  d["data"] = o.reading.data;
  d["date"] = fmt::format("{:%F}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
  d["versions"] = {{"genexx", version()}, {"model_format", kModelFormat}};
  return d;
}

TrainerHooks make_hooks(const TrainerConfig& config, std::int64_t replicas, RunDirectory& out, Console& console,
                        std::int64_t& done) {
  std::int64_t total = 0;
  for (const PhaseConfig& phase : config.phases) total += phase.epochs * replicas;
  return {.on_epoch =
              [&console, &out, &done, total](const EpochRecord& r) {
                console.show_progress(++done, total,
                                      fmt::format("{} epoch {}, replica {}, validation accuracy {:.3f}", r.phase,
                                                  r.epoch, r.replica, r.validation_accuracy));
                out.log("epoch", {{"phase", r.phase},
                                  {"epoch", r.epoch},
                                  {"replica", r.replica},
                                  {"losses", r.losses},
                                  {"validation_accuracy", r.validation_accuracy},
                                  {"seconds", r.seconds}});
              },
          .should_stop = [] { return stop_requested(); }};
}

// Writes the state of the first epoch and then of an epoch at most once a second: short epochs must not wait for the
// disk, and a run that is stopped loses at most that second.
class Checkpointer {
 public:
  Checkpointer(const RunDirectory& out, const nlohmann::json& identity) : out_(out), identity_(identity) {}
  void after_epoch(const Trainer& trainer) {
    if (written_ && since(last_) < 1.0) return;
    out_.save_checkpoint(trainer.state(), identity_);
    written_ = true;
    last_ = Clock::now();
  }

 private:
  const RunDirectory& out_;
  const nlohmann::json& identity_;
  bool written_ = false;
  Clock::time_point last_{};
};

// Trains; says where it stopped when it was asked to.
void run_trainer(Trainer& trainer, RunDirectory& out, Console& console) {
  try {
    trainer.run();
  } catch (const StoppedError& stopped) {
    console.end_progress();
    const std::string message = fmt::format("{} by {}", stopped.what(), stop_reason());
    if (trainer.history().empty()) throw RuntimeError(message + "; there is no checkpoint yet");
    throw StoppedError(message + "; the checkpoint is valid, go on with --resume");
  }
  console.end_progress();
  out.log("trained", {{"epochs", trainer.history().size()}});
}

Calibration fit_calibration(const scannonet::Judged& judged, const scannonet::Prepared& p, double error_rate) {
  std::vector<std::int32_t> truth;
  for (const std::int64_t c : p.splits[0].validation) truth.push_back(p.set.labels[static_cast<std::size_t>(c)]);
  if (truth.empty()) return {};
  return calibrate({.classes = p.set.classes, .truth = truth, .probability = judged.validation_probability},
                   error_rate);
}

void train(const TrainOptions& o, Program& program) {
  Console& console = program.console;
  const scannonet::Config config = resolve_config(o);
  const nlohmann::json config_json = to_json_config(config);
  if (o.dump_config) return fmt::print("{}\n", config_json.dump(2));
  if (o.out.empty()) throw UsageError("--out DIR is needed: the directory to write model, metrics and report to");
  ThreadPool pool(thread_count(o.reading));
  const std::unique_ptr<Context> ctx = device_context(o.device, o.cpu_isa, pool);
  StageSeconds seconds;
  Dataset data = read_dataset(o.reading, Labels::required, console);
  seconds.read = data.read_seconds;

  auto begin = Clock::now();
  const scannonet::PreparationInput input = {.matrix = data.matrix,
                                             .genes = data.genes,
                                             .labels = data.labels,
                                             .groups = codes_of(*data.source, o.reading.group_column),
                                             .batches = codes_of(*data.source, o.reading.batch_column),
                                             .input = input_kind(data.kind)};
  if (input.input == Recipe::InputKind::log_normalized)
    console.say("the values are log-normalised already: library size and logarithm are skipped");
  const scannonet::Prepared prepared = scannonet::prepare(*ctx, input, config, {.folds = o.folds, .seed = o.seed});
  for (const std::string& warning : prepared.warnings) console.warn(warning);
  const std::int64_t replicas = o.folds > 0 ? o.folds : o.replicas;
  const Network network = scannonet::make_network(prepared.set.genes(), prepared.set.classes, config.dropout,
                                                  {config.squeeze_width, config.hidden_width, config.embedding_width});
  const auto tasks = scannonet::make_tasks(prepared, replicas, static_cast<std::int64_t>(o.seed), config);
  const TrainerConfig trainer_config = scannonet::make_trainer_config(network, prepared, tasks, config);
  seconds.prepare = since(begin);
  const std::int64_t bytes = scannonet::estimate_training_bytes(network, replicas, trainer_config.batch) +
                             8 * (data.matrix.nnz() + prepared.set.data.nnz());
  console.say(
      fmt::format("{} classes, {} genes chosen, {} cells to train on, batch {}, {} replicas; about {:.0f} MB of memory",
                  prepared.classes.size(), prepared.features.size(), tasks[0].train.size(), trainer_config.batch,
                  replicas, 1e-6 * static_cast<double>(bytes)));
  if (o.dry_run) return;

  RunDirectory out(o.out, o.resume              ? RunDirectory::Use::resume
                          : o.reading.overwrite ? RunDirectory::Use::replace
                                                : RunDirectory::Use::fresh);
  const nlohmann::json identity = identity_of(o, config_json, *ctx);
  const nlohmann::json description = description_of(o, identity, program.command_line);
  out.log("start", description);
  std::int64_t done = 0;
  TrainerHooks hooks = make_hooks(trainer_config, replicas, out, console, done);
  Trainer* running = nullptr;
  Checkpointer checkpoint(out, identity);
  hooks.on_checkpoint = [&] { checkpoint.after_epoch(*running); };
  Trainer trainer(*ctx, network, prepared.set, tasks, trainer_config, hooks);
  running = &trainer;
  if (o.resume)
    if (const auto state = out.load_checkpoint(identity)) trainer.resume(*state);
  begin = Clock::now();
  run_trainer(trainer, out, console);
  seconds.train = since(begin);

  begin = Clock::now();
  const scannonet::Judged judged = scannonet::judge(*ctx, network, input, prepared, tasks, trainer.weights());
  seconds.test = since(begin);
  const FinishedRun run = {data,        input,  prepared, judged, trainer.history(), trainer_config, config_json,
                           description, o.seed, o.folds,  seconds};
  const nlohmann::json metrics = metrics_document(run);
  if (o.folds == 0) {
    Model model = scannonet::make_model(network, input, prepared, trainer.weights(), 0, replicas, 0);
    model.calibration = fit_calibration(judged, prepared, o.unknown_error_rate);
    model.summary = {{"run", description},
                     {"config", config_json},
                     {"test", {{"accuracy", metrics["test"]["accuracy"]}, {"macro_f1", metrics["test"]["macro_f1"]}}}};
    ModelParts parts = to_parts(model);
    write_safetensors(out.file("model.safetensors"), {std::move(parts.tensors), std::move(parts.metadata)});
  }
  write_tables(out, run, metrics);
  write_training_report(out, run, metrics, network.parameter_count());
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
  verb->callback([&program, o] { program.action = [&program, o] { train(*o, program); }; });
}

}  // namespace genexx::tools

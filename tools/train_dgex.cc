// SPDX-License-Identifier: Apache-2.0
#include "tools/train_dgex.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "engine/device.h"
#include "engine/error.h"
#include "io/report.h"
#include "io/safetensors.h"
#include "models/config.h"
#include "models/history_json.h"
#include "models/training_memory.h"
#include "tools/checkpointer.h"
#include "tools/dgex_outputs.h"
#include "tools/dgex_report.h"
#include "tools/memory_budget.h"
#include "tools/process_status.h"
#include "tools/stop_signal.h"
#include "tools/train_outputs.h"
#include "tools/training_run.h"

namespace genexx::tools {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

dgex::Config config_of(const TrainOptions& o) {
  dgex::Config config;
  if (!o.preset.empty()) throw UsageError("--preset is for scannonet; dgex has its published settings as defaults");
  apply_json(config, given_settings(o));
  dgex::check(config);
  return config;
}

void check_options(const TrainOptions& o) {
  if (o.folds > 0 || o.refit) throw UsageError("--folds and --refit are for scannonet; dgex splits its profiles once");
  if (std::filesystem::is_directory(o.reading.data) != o.landmarks.empty())
    throw UsageError(o.landmarks.empty()
                         ? "one matrix needs --landmarks FILE, the names of the landmark genes; a "
                           "directory must be one that prepare-dgex wrote"
                         : "--landmarks goes with one matrix; a prepared directory knows its landmarks");
}

// One training, from data to files.
class DgexRun {
 public:
  DgexRun(const TrainOptions& o, const dgex::Config& config, Program& program)
      : o_(o),
        config_(config),
        config_json_(to_json_config(config)),
        program_(program),
        console_(program.console),
        pool_(thread_count(o.reading)),
        ctx_(device_context(o.on, pool_)),
        replicas_(o.replicas) {}

  void run() {
    if (!o_.dry_run && program_.ranks.get().is_root()) RunDirectory::expect(o_.out, use_of(o_));
    data_ = o_.landmarks.empty() ? read_prepared_dgex(o_.reading.data, config_, console_)
                                 : read_matrix_dgex(o_.reading, o_.landmarks, config_, o_.seed, console_);
    data_.set.monitors = dgex::make_monitors(data_.parts, config_, o_.seed);
    network_ = dgex::make_network(data_.set.dense.cols, data_.set.targets.cols, config_);
    const TrainerConfig trainer = dgex::make_trainer_config(network_, data_.set.monitors, config_);
    const std::vector<ReplicaTask> tasks = dgex::make_tasks(data_.parts, replicas_, o_.seed);
    const Communicator& ranks = program_.ranks.get();
    const std::int64_t memory = estimate_trainer_bytes(network_, largest_share(tasks, ranks), trainer);
    estimated_memory_ = peak_memory_with(memory);
    console_.say(fmt::format(
        "{}: {} landmarks, {} targets, {} profiles to train on; {} parameters, {} replicas; about {} of memory",
        data_.description, data_.set.dense.cols, data_.set.targets.cols, tasks[0].train.size(),
        network_.parameter_count(), replicas_, bytes_text(estimated_memory_)));
    expect_memory(memory * ranks.local_size(), "training", memory_check(o_.reading));
    if (o_.dry_run) return;
    RunDirectory out(o_.out, use_of(o_), &program_.ranks.get());
    const auto begin = Clock::now();
    train(trainer, tasks, out);
    seconds_.train = since(begin);
    if (out.is_writer()) write_results(trainer, out);
  }

 private:
  nlohmann::json identity() const {
    return {{"config", config_json_},
            {"seed", o_.seed},
            {"replicas", replicas_},
            {"sha256", data_.sha256},
            {"model", "dgex"},
            {"device", ctx_->device() == DeviceType::cpu ? "cpu" : "cuda"},
            {"precision", name_of(ctx_->precision)}};
  }

  void train(const TrainerConfig& trainer_config, const std::vector<ReplicaTask>& tasks, RunDirectory& out) {
    const TrainingRecords records = {
        .out = out,
        .console = console_,
        .checkpoint = kMainCheckpoint,
        .identity = identity(),
        .start = o_.resume ? TrainingRecords::Start::resume : TrainingRecords::Start::fresh};
    run_trainer(
        *ctx_, {network_, data_.set, tasks, trainer_config}, records, [](const Trainer&) {},
        [&](const Trainer& trainer) {
          history_ = trainer.history();
          for (std::size_t rule = 0; rule < trainer_config.phases[0].keep.size(); ++rule)
            kept_.push_back(trainer.kept(rule).weights);
        });
  }

  void save(const RunDirectory& out, const std::string& name, const std::vector<NamedTensor>& weights,
            const nlohmann::json& metrics) const {
    Model model = dgex_model(data_, network_, weights, replicas_);
    model.summary["run"] = description();
    model.summary["config"] = config_json_;
    model.summary["test"] = metrics.value("test", nlohmann::json());
    ModelParts parts = to_parts(model);
    write_safetensors(out.file(name), {std::move(parts.tensors), std::move(parts.metadata)});
  }

  nlohmann::json description() const { return describe_run(identity(), o_.reading.data, program_.command_line); }

  // Errors on a part by the weights of a rule; the predictions go to `file` where one is named.
  DgexErrors judge(const RunDirectory& out, std::size_t rule, const std::string& part, const std::string& file) {
    return judge_dgex(*ctx_, data_, network_, kept_[rule], replicas_, part, file.empty() ? "" : out.file(file));
  }
  bool has(const std::string& part) const {
    const dgex::Part* p = dgex::find_part(data_.parts, part);
    return p && p->count > 0;
  }

  void write_results(const TrainerConfig& trainer, RunDirectory& out) {
    const auto begin = Clock::now();
    nlohmann::json metrics;
    const std::string judged = has("test") ? "test" : "validation";
    DgexErrors main;
    for (const char* part : {"train", "validation", "test"}) {
      if (!has(part)) continue;
      const std::string file = part == std::string("validation") ? "bestva_Y_va_hat.npy"
                               : part == std::string("test")     ? "bestva_Y_te_hat.npy"
                                                                 : "";
      DgexErrors errors = judge(out, 0, part, file);
      metrics[part] = dgex_metrics(errors);
      if (part == judged) main = std::move(errors);
    }
    if (kept_.size() > 1) {
      metrics["1000G"] = dgex_metrics(judge(out, 1, "1000G", "best1000G_Y_1000G_hat.npy"));
      if (has("GTEx")) metrics["GTEx"] = dgex_metrics(judge(out, 1, "GTEx", "best1000G_Y_GTEx_hat.npy"));
    } else if (has("GTEx")) {
      metrics["GTEx"] = dgex_metrics(judge(out, 0, "GTEx", "bestva_Y_GTEx_hat.npy"));
    }
    const std::vector<double> baseline = add_baseline(judged, main, metrics);
    add_per_gene(main, baseline, metrics[judged]);
    seconds_.test = since(begin);
    metrics["seconds"] = {
        {"read", data_.seconds}, {"prepare", 0.0}, {"train", seconds_.train}, {"test", seconds_.test}};
    metrics["peak_memory_bytes"] = peak_memory();
    metrics["estimated_memory_bytes"] = estimated_memory_;
    save(out, "bestva_model.safetensors", kept_[0], metrics);
    if (kept_.size() > 1) save(out, "best1000G_model.safetensors", kept_[1], metrics);
    save(out, "model.safetensors", kept_[0], metrics);
    for (std::int64_t r = 0; r < replicas_; ++r)
      out.write(r == 0 ? "log.tsv" : fmt::format("log_{}.tsv", r), dgex_log(history_, data_.set.monitors, r));
    HistoryColumns columns;
    for (const Monitor& monitor : data_.set.monitors) columns.monitors.push_back(monitor.name);
    out.write("history.tsv", history_table(history_, trainer.phases, columns));
    out.write_json("config.json", config_json_);
    write_split(out);
    write_report(out.file("report.html"), dgex_report({.file = o_.reading.data,
                                                       .data = data_,
                                                       .config = config_,
                                                       .config_json = config_json_,
                                                       .network = network_,
                                                       .replicas = replicas_,
                                                       .history = history_,
                                                       .run = description(),
                                                       .metrics = metrics,
                                                       .judged = judged,
                                                       .errors = main,
                                                       .baseline = baseline}));
    out.write_json("metrics.json", metrics);  // last: who finds it finds the others too
    out.log("end", {{"seconds", metrics["seconds"]}, {"peak_memory_bytes", metrics["peak_memory_bytes"]}});
    console_.say(fmt::format(
        "{} error {:.4f}{}; report: {}", judged, metrics[judged]["mae"].get<double>(),
        baseline.empty() ? "" : fmt::format(", {} {:.4f}", config_.baseline, metrics["baseline"]["mae"].get<double>()),
        out.file("report.html")));
  }

  std::vector<double> add_baseline(const std::string& part, const DgexErrors& errors, nlohmann::json& metrics) {
    const auto model = fit_dgex_baseline(*ctx_, pool_, data_, config_);
    if (!model) return {};
    const DgexErrors baseline = judge_dgex_baseline(*ctx_, data_, *model, part);
    const dgex::ErrorComparison c = dgex::compare_errors(errors.of_mean, baseline.of_mean);
    metrics["baseline"] = {{"method", config_.baseline},
                           {"part", part},
                           {"mae", dgex_metrics(baseline)["mae"]},
                           {"mae_sd", dgex_metrics(baseline)["mae_sd"]},
                           {"relative_improvement", c.improvement},
                           {"genes_improved", c.improved_genes}};
    return baseline.of_mean;
  }

  void add_per_gene(const DgexErrors& errors, const std::vector<double>& baseline, nlohmann::json& of_part) const {
    nlohmann::json& genes = of_part["per_gene"] = nlohmann::json::array();
    for (std::size_t t = 0; t < errors.of_mean.size(); ++t) {
      genes.push_back({{"gene", data_.targets[t].id}, {"mae", errors.of_mean[t]}});
      if (!baseline.empty()) genes.back()["baseline_mae"] = baseline[t];
    }
  }

  void write_split(const RunDirectory& out) const {
    nlohmann::json split = {{"seed", o_.seed}, {"kind", data_.prepared ? "prepared" : "random"}};
    for (const dgex::Part& part : data_.parts) {
      const auto begin = data_.samples.begin() + part.begin;
      split["parts"][part.name] = std::vector<std::string>(begin, begin + part.count);
    }
    out.write_json("split.json", split);
  }

  const TrainOptions& o_;
  dgex::Config config_;
  nlohmann::json config_json_;
  Program& program_;
  Console& console_;
  ThreadPool pool_;
  std::unique_ptr<Context> ctx_;
  std::int64_t replicas_;
  DgexData data_;
  Network network_;
  std::vector<EpochRecord> history_;
  std::vector<std::vector<NamedTensor>> kept_;  // by rule
  StageSeconds seconds_;
  std::int64_t estimated_memory_ = 0;  // bytes, before training
};

// Both halves of the targets, a training after the other in first/ and second/; what is done already is resumed.
void train_halves(const TrainOptions& o, dgex::Config config, Program& program) {
  for (const char* half : {"first", "second"}) {
    config.targets = half;
    TrainOptions of_half = o;
    of_half.out = o.out + "/" + half;
    of_half.resume = o.resume && program.ranks.get().broadcast_flag(std::filesystem::exists(of_half.out));
    program.console.say(fmt::format("{} half of the targets:", half));
    DgexRun(of_half, config, program).run();
  }
}

}  // namespace

void train_dgex(const TrainOptions& o, Program& program) {
  const dgex::Config config = config_of(o);
  if (o.dump_config) return fmt::print("{}\n", to_json_config(config).dump(2));
  check_options(o);
  if (o.out.empty()) throw UsageError("--out DIR is needed: the directory to write model, metrics and report to");
  if (o.reading.time_limit > 0) set_time_limit(o.reading.time_limit);
  if (config.targets == "halves") return train_halves(o, config, program);
  DgexRun(o, config, program).run();
}

}  // namespace genexx::tools

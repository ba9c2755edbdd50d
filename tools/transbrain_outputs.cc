// SPDX-License-Identifier: Apache-2.0
#include "tools/transbrain_outputs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "io/report.h"
#include "io/safetensors.h"
#include "io/split_file.h"
#include "models/history_json.h"
#include "tools/embedding_files.h"
#include "tools/process_status.h"

namespace genexx::tools {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }
std::string field(double x) { return std::isfinite(x) ? fmt::format("{}", x) : ""; }

std::int64_t repeats_of(const FinishedRegions& run) { return static_cast<std::int64_t>(run.prepared.tasks.size()); }

// The tensors of one replica, without the replica axis.
std::vector<NamedTensor> tensors_of(const std::vector<NamedTensor>& weights, std::int64_t replica) {
  std::vector<NamedTensor> out;
  for (const NamedTensor& w : weights) {
    NamedTensor t = w;
    const auto each = static_cast<std::ptrdiff_t>(w.bytes.size() / static_cast<std::size_t>(w.shape[0]));
    t.shape.erase(t.shape.begin());
    t.bytes.assign(w.bytes.begin() + replica * each, w.bytes.begin() + (replica + 1) * each);
    out.push_back(std::move(t));
  }
  return out;
}

// The line of each repeat whose weights are the model: the latest at the best value of the rule, else its last.
std::vector<EpochRecord> chosen_epochs(const FinishedRegions& run) {
  std::vector<EpochRecord> chosen(static_cast<std::size_t>(repeats_of(run)));
  std::vector<double> best(chosen.size(), std::numeric_limits<double>::infinity());
  const RuleWeights* rule = run.config.chosen == "best_valid"  ? &run.trained.best_valid
                            : run.config.chosen == "best_rank" ? &run.trained.best_rank
                                                               : nullptr;
  for (const EpochRecord& r : run.trained.history) {
    const auto k = static_cast<std::size_t>(r.replica);
    const double cost = run.config.chosen == "best_rank" ? r.external : r.validation.loss;
    if (rule && rule->met[k] && !(cost <= best[k])) continue;
    best[k] = cost;
    chosen[k] = r;
  }
  return chosen;
}

nlohmann::json mean_and_sd(const std::vector<double>& values, nlohmann::json& sd, const char* key) {
  std::vector<double> defined;
  for (const double x : values)
    if (std::isfinite(x)) defined.push_back(x);
  if (defined.empty()) return nullptr;
  const auto n = static_cast<double>(defined.size());
  const double mean = std::accumulate(defined.begin(), defined.end(), 0.0) / n;
  double squares = 0;
  for (const double x : defined) squares += (x - mean) * (x - mean);
  if (defined.size() > 1) sd[key] = std::sqrt(squares / (n - 1));
  return mean;
}

// The published columns.
std::string repeat_history(const FinishedRegions& run, std::int64_t repeat) {
  std::string text = ",epoch,train_loss,train_acc,valid_loss,valid_acc,avg_rank\n";
  std::int64_t line = 0;
  for (const EpochRecord& r : run.trained.history)
    if (r.replica == repeat)
      text += fmt::format("{},{},{},{},{},{},{}\n", line++, r.epoch - 1, field(r.losses[0]), field(r.training_accuracy),
                          field(r.validation.loss), field(r.validation.accuracy), field(r.external));
  return text;
}

void write_model(const RunDirectory& out, const std::string& name, const std::vector<NamedTensor>& weights,
                 std::int64_t repeat) {
  write_safetensors(out.file(name),
                    {tensors_of(weights, repeat), {{"system", "transbrain"}, {"repeat", std::to_string(repeat)}}});
}

void write_embedding(const RunDirectory& out, const std::string& name, const transbrain::RegionTable& table) {
  write_region_csv(out.file(name), "region_id", table.regions,
                   std::vector<float>(table.values.begin(), table.values.end()));
}

void write_repeat(const RunDirectory& out, const FinishedRegions& run, std::int64_t k) {
  const std::string folder = repeat_folder(run.description.at("data").get<std::string>(), k);
  out.make_folder(folder + "/Results");
  const auto repeat = static_cast<std::size_t>(k);
  if (run.trained.best_valid.met[repeat])
    write_model(out, folder + "/Best_validloss_epoch.safetensors", run.trained.best_valid.weights, k);
  if (run.trained.best_rank.met[repeat])
    write_model(out, folder + "/Best_rank_epoch.safetensors", run.trained.best_rank.weights, k);
  write_model(out, folder + "/Last_epoch.safetensors", run.trained.last, k);
  out.write(folder + "/loss and rank each epoch.csv", repeat_history(run, k));
  write_embedding(out, folder + "/Results/human_embedding.csv", run.embedded.human[repeat]);
  write_embedding(out, folder + "/Results/mouse_embedding.csv", run.embedded.mouse[repeat]);
}

nlohmann::json history_section(const FinishedRegions& run) {
  const std::vector<EpochRecord> chosen = chosen_epochs(run);
  nlohmann::json list = nlohmann::json::array();
  for (std::int64_t k = 0; k < repeats_of(run); ++k) {
    nlohmann::json s = {
        {"replica", k}, {"phase", "train"}, {"chosen_epoch", chosen[static_cast<std::size_t>(k)].epoch}};
    for (const char* key : {"epoch", "train_loss", "validation_loss", "validation_accuracy", "mean_rank"})
      s[key] = nlohmann::json::array();
    for (const EpochRecord& r : run.trained.history) {
      if (r.replica != k) continue;
      s["epoch"].push_back(r.epoch);
      s["train_loss"].push_back(number(r.losses[0]));
      s["validation_loss"].push_back(number(r.validation.loss));
      s["validation_accuracy"].push_back(number(r.validation.accuracy));
      s["mean_rank"].push_back(number(r.external));
    }
    list.push_back(std::move(s));
  }
  return list;
}

std::string report_summary(const FinishedRegions& run, const nlohmann::json& metrics) {
  const auto repeats = repeats_of(run);
  return fmt::format(
      "{} of a classifier of {} human brain regions were trained on {} profiles of {} genes{}. By their embeddings, "
      "averaged, the human homologue of a mouse region ranks {:.2f} of {} over {} pairs; by raw expression {:.2f}, by "
      "chance {:.1f}. Validation accuracy {:.3f}.",
      repeats == 1 ? "One repeat" : fmt::format("{} repeats", repeats), run.regions.size(),
      run.prepared.tasks[0].train.size(), run.network.input_width(),
      run.config.shuffle_labels ? " with permuted labels, as a control" : "", run.homology.ranking.mean_rank,
      run.homology.human_by_mouse.rows.size(), run.homology.ranking.pairs.size(), run.raw.mean_rank,
      run.homology.ranking.chance, metrics.at("validation").value("accuracy", kUndefined));
}

}  // namespace

std::string repeat_folder(const std::string& training_file, std::int64_t repeat) {
  const std::string stem = std::filesystem::path(training_file).stem().string();
  const std::size_t at = stem.rfind('_');
  return fmt::format("Data_{}/Repeat_{}", at == std::string::npos ? stem : stem.substr(at + 1), repeat);
}

std::vector<NamedTensor> chosen_weights(const TrainedRegions& trained, const std::string& chosen,
                                        std::vector<std::string>& warnings) {
  std::vector<NamedTensor> weights = trained.last;
  if (chosen == "last") return weights;
  const RuleWeights& rule = chosen == "best_rank" ? trained.best_rank : trained.best_valid;
  std::string without;
  for (std::size_t k = 0; k < rule.met.size(); ++k) {
    if (!rule.met[k]) {
      without += (without.empty() ? "" : ", ") + std::to_string(k);
      continue;
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::size_t each = weights[i].bytes.size() / rule.met.size();
      std::copy_n(rule.weights[i].bytes.begin() + static_cast<std::ptrdiff_t>(k * each), each,
                  weights[i].bytes.begin() + static_cast<std::ptrdiff_t>(k * each));
    }
  }
  if (!without.empty())
    warnings.push_back("there is no " + chosen + " model of repeat " + without +
                       ": no epoch was better than the limit it starts from; the last weights are taken instead");
  return weights;
}

nlohmann::json transbrain_metrics(const FinishedRegions& run) {
  std::vector<double> loss, accuracy, macro_f1, train_loss;
  for (const EpochRecord& r : chosen_epochs(run)) {
    loss.push_back(r.validation.loss);
    accuracy.push_back(r.validation.accuracy);
    macro_f1.push_back(r.validation.macro_f1);
    train_loss.push_back(r.losses.empty() ? kUndefined : r.losses[0]);
  }
  nlohmann::json sd = nlohmann::json::object(), train_sd = nlohmann::json::object(), rank_sd = nlohmann::json::object();
  nlohmann::json validation = {{"accuracy", mean_and_sd(accuracy, sd, "accuracy")},
                               {"macro_f1", mean_and_sd(macro_f1, sd, "macro_f1")},
                               {"loss", mean_and_sd(loss, sd, "loss")},
                               {"replicas", repeats_of(run)}};
  validation["sd"] = sd;
  nlohmann::json homology = homology_summary(run.homology);
  homology["mean_rank_of_repeats"] = {{"mean", mean_and_sd(run.mean_ranks, rank_sd, "sd")},
                                      {"sd", rank_sd.value("sd", nlohmann::json())},
                                      {"each", run.mean_ranks}};
  homology["raw_expression"] = {{"mean_rank", run.raw.mean_rank}, {"p_value", run.raw.p_value}};
  return {{"test", nullptr},
          {"validation", validation},
          {"train", {{"loss", mean_and_sd(train_loss, train_sd, "loss")}, {"sd", train_sd}}},
          {"homology", homology},
          {"chosen", run.config.chosen},
          {"seconds",
           {{"read", run.seconds.read},
            {"prepare", run.seconds.prepare},
            {"train", run.seconds.train},
            {"test", run.seconds.test}}},
          {"peak_memory_bytes", peak_memory()},
          {"warnings", run.warnings}};
}

void write_transbrain_tables(const RunDirectory& out, const FinishedRegions& run) {
  out.write_json("config.json", run.config_json);
  write_split_file(out.file("split.json"),
                   {.kind = "replicas", .seed = run.seed, .cell_names = run.row_names, .splits = run.prepared.splits});
  out.write("history.tsv", history_table(run.trained.history, run.trainer.phases));
  write_homology_tables(out, run.homology);
  for (std::int64_t k = 0; k < repeats_of(run); ++k) write_repeat(out, run, k);
}

void write_transbrain_report(const RunDirectory& out, const FinishedRegions& run, const nlohmann::json& metrics) {
  nlohmann::json report = {{"format", 1}, {"task", "homology"}};
  const CellSplit& split = run.prepared.splits[0];
  report["model"] = {{"name", "TransBrain"},
                     {"replicas", repeats_of(run)},
                     {"parameters", run.network.parameter_count()},
                     {"genes", run.network.input_width()},
                     {"classes", run.regions.size()}};
  report["data"] = {{"file", run.description.at("data")},
                    {"cells", run.prepared.set.cells},
                    {"matrix", run.matrix},
                    {"sha256", run.description.at("sha256")},
                    {"split", {{"train", split.train.size()}, {"validation", split.validation.size()}}}};
  report["run"] = {{"command", run.description.at("command")},
                   {"seed", run.seed},
                   {"device", run.description.at("device")},
                   {"date", run.description.at("date")},
                   {"versions", run.description.at("versions")}};
  report["summary"] = report_summary(run, metrics);
  const auto two = [](double x) { return fmt::format("{:.2f}", x); };
  report["figures"] = nlohmann::json::array(
      {{"Mean rank", two(run.homology.ranking.mean_rank)},
       {"By raw expression", two(run.raw.mean_rank)},
       {"By chance", two(run.homology.ranking.chance)},
       {"p",
        run.homology.ranking.permutations > 0 ? fmt::format("{:.2g}", run.homology.ranking.p_value) : "not tested"}});
  report["metrics"] = {{"validation", metrics.at("validation")}};
  add_homology_sections(report, run.homology);
  report["history"] = history_section(run);
  report["seconds"] = metrics.at("seconds");
  report["memory"] = {{"peak_bytes", metrics.at("peak_memory_bytes")}};
  report["warnings"] = run.warnings;
  report["config"] = run.config_json;
  write_report(out.file("report.html"), report);
}

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// The data behind report.html of a training run.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "io/report.h"
#include "tools/evaluation_report.h"
#include "tools/train_outputs.h"

namespace genexx::tools {
namespace {

constexpr std::size_t kTopGenes = 15;
constexpr int kBins = 10;

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }

// One entry a replica and phase, epochs in order.
nlohmann::json history_section(const FinishedRun& run) {
  std::map<std::pair<std::size_t, std::int64_t>, nlohmann::json> series;
  for (const EpochRecord& r : run.history) {
    const auto phase = std::find_if(run.trainer.phases.begin(), run.trainer.phases.end(),
                                    [&](const PhaseConfig& p) { return p.name == r.phase; });
    double total = 0;
    for (std::size_t i = 0; i < r.losses.size(); ++i) total += phase->losses[i].weight * r.losses[i];
    nlohmann::json& s = series[{static_cast<std::size_t>(phase - run.trainer.phases.begin()), r.replica}];
    if (s.is_null())
      s = {{"replica", r.replica},
           {"phase", r.phase},
           {"epoch", nlohmann::json::array()},
           {"train_loss", nlohmann::json::array()},
           {"validation_loss", nlohmann::json::array()},
           {"validation_accuracy", nlohmann::json::array()},
           {"chosen_epoch", nullptr}};
    s["epoch"].push_back(r.epoch);
    s["train_loss"].push_back(number(total));
    s["validation_loss"].push_back(number(r.validation_loss));
    s["validation_accuracy"].push_back(number(r.validation_accuracy));
    if (r.best && phase->keep == KeepWeights::best_validation) s["chosen_epoch"] = r.epoch;
  }
  nlohmann::json list = nlohmann::json::array();
  for (auto& entry : series) list.push_back(std::move(entry.second));
  return list;
}

nlohmann::json gates_section(const FinishedRun& run) {
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t k = 0; k < run.judged.gate.size(); ++k) {
    const std::vector<double>& gate = run.judged.gate[k];
    std::vector<std::size_t> order(gate.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::size_t top = std::min(kTopGenes, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(),
                      [&](std::size_t a, std::size_t b) { return gate[a] > gate[b] || (gate[a] == gate[b] && a < b); });
    nlohmann::json genes = nlohmann::json::array();
    for (std::size_t i = 0; i < top; ++i)
      genes.push_back({{"gene", run.data.genes[static_cast<std::size_t>(run.prepared.features[order[i]])]},
                       {"weight", gate[order[i]]}});
    list.push_back({{"class", run.prepared.classes[k]}, {"genes", genes}});
  }
  return list;
}

// Of the mean probabilities of the test cells: confidence against the share that is right.
nlohmann::json calibration_section(const std::vector<float>& probability, const std::vector<std::int32_t>& predicted,
                                   const std::vector<std::int32_t>& truth) {
  const std::size_t classes = probability.size() / std::max<std::size_t>(1, predicted.size());
  std::vector<double> confidence(kBins, 0), right(kBins, 0), count(kBins, 0);
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double p = probability[i * classes + static_cast<std::size_t>(predicted[i])];
    const auto bin = static_cast<std::size_t>(std::min(kBins - 1, static_cast<int>(p * kBins)));
    confidence[bin] += p;
    right[bin] += predicted[i] == truth[i] ? 1 : 0;
    count[bin] += 1;
  }
  nlohmann::json bins = nlohmann::json::array();
  double error = 0;
  for (std::size_t b = 0; b < kBins; ++b) {
    const double n = std::max(count[b], 1.0);
    error += std::abs(right[b] - confidence[b]) / static_cast<double>(std::max<std::size_t>(1, predicted.size()));
    bins.push_back({{"from", static_cast<double>(b) / kBins},
                    {"to", static_cast<double>(b + 1) / kBins},
                    {"confidence", confidence[b] / n},
                    {"accuracy", right[b] / n},
                    {"count", count[b]}});
  }
  return {{"bins", bins}, {"expected_error", error}};
}

void add_confusion(nlohmann::json& report, const FinishedRun& run) {
  const auto classes = static_cast<std::int64_t>(run.prepared.classes.size());
  const std::vector<std::int32_t> predicted = scannonet::most_probable(run.judged.probability, classes);
  std::vector<std::int32_t> truth;
  for (const std::int64_t cell : run.judged.test_cells)
    truth.push_back(run.prepared.set.labels[static_cast<std::size_t>(cell)]);
  const ClassificationMetrics m = classification_metrics(
      {.classes = classes, .truth = truth, .predicted = predicted, .probability = run.judged.probability});
  add_confusion_section(report, m, run.prepared.classes);
  report["calibration"] = calibration_section(run.judged.probability, predicted, truth);
}

}  // namespace

void write_training_report(const RunDirectory& out, const FinishedRun& run, const nlohmann::json& metrics,
                           std::int64_t parameters) {
  std::int64_t train = 0, validation = 0;
  for (const CellSplit& s : run.prepared.splits) {
    train += static_cast<std::int64_t>(s.train.size());
    validation += static_cast<std::int64_t>(s.validation.size());
  }
  nlohmann::json report = {{"format", 1}, {"task", "classification"}};
  report["model"] = {{"name", "scAnnoNet"},
                     {"replicas", run.judged.test.size()},
                     {"parameters", parameters},
                     {"genes", run.prepared.features.size()},
                     {"classes", run.prepared.classes.size()}};
  const auto splits = static_cast<std::int64_t>(run.prepared.splits.size());
  report["data"] = {
      {"file", run.identity.at("data")},
      {"cells", run.data.matrix.rows},
      {"label", run.data.label_name},
      {"matrix", run.data.source->description()},
      {"sha256", run.identity.at("sha256")},
      {"split",
       {{"train", train / splits}, {"validation", validation / splits}, {"test", run.judged.test_cells.size()}}}};
  report["run"] = {{"command", run.identity.at("command")},
                   {"seed", run.seed},
                   {"device", run.identity.at("device")},
                   {"date", run.identity.at("date")},
                   {"versions", run.identity.at("versions")}};
  report["metrics"] = {
      {"test", metrics.at("test")}, {"validation", metrics.at("validation")}, {"train", metrics.at("train")}};
  add_confusion(report, run);
  report["history"] = history_section(run);
  report["gates"] = gates_section(run);
  report["genes"] = {{"matched", run.prepared.features.size()},
                     {"missing", 0},
                     {"filled", 0},
                     {"unused", static_cast<std::int64_t>(run.data.genes.size()) -
                                    static_cast<std::int64_t>(run.prepared.features.size())},
                     {"by", "gene names"},
                     {"missing_names", nlohmann::json::array()}};
  report["seconds"] = metrics.at("seconds");
  report["memory"] = {{"peak_bytes", metrics.at("peak_memory_bytes")}};
  report["warnings"] = run.prepared.warnings;
  report["config"] = run.config;
  write_report(out.file("report.html"), report);
}

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// The data behind report.html of a training run.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "io/report.h"
#include "tools/evaluation_report.h"
#include "tools/train_outputs.h"

namespace genexx::tools {
namespace {

constexpr std::size_t kWidestGates = 20, kDependentGates = 10;

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }

// Whether the phase learns the classes; one that does not has validation figures that mean nothing.
bool learns_classes(const PhaseConfig& phase) {
  return std::any_of(phase.losses.begin(), phase.losses.end(),
                     [](const LossSpec& loss) { return loss.kind == LossKind::cross_entropy; });
}

// One entry a replica and phase, epochs in order.
nlohmann::json history_section(const FinishedRun& run) {
  std::map<std::pair<std::size_t, std::int64_t>, nlohmann::json> series;
  for (const EpochRecord& r : run.trained.history) {
    const auto phase = std::find_if(run.trained.phases.begin(), run.trained.phases.end(),
                                    [&](const PhaseConfig& p) { return p.name == r.phase; });
    double total = 0;
    for (std::size_t i = 0; i < r.losses.size(); ++i) total += phase->losses[i].weight * r.losses[i];
    nlohmann::json& s = series[{static_cast<std::size_t>(phase - run.trained.phases.begin()), r.replica}];
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
    const bool judged = learns_classes(*phase);
    s["validation_loss"].push_back(judged ? number(r.validation.loss) : nlohmann::json());
    s["validation_accuracy"].push_back(judged ? number(r.validation.accuracy) : nlohmann::json());
    if (r.best && phase->ends_with != PhaseConfig::kLast) s["chosen_epoch"] = r.epoch;
  }
  nlohmann::json list = nlohmann::json::array();
  for (auto& entry : series) list.push_back(std::move(entry.second));
  return list;
}

// Largest minus smallest, and mean, over the classes that have test cells.
struct GateOfGene {
  std::size_t feature = 0;
  double mean = 0, spread = 0;
};

std::vector<GateOfGene> gates_of_genes(const std::vector<std::vector<double>>& gate) {
  std::vector<GateOfGene> genes(gate.empty() ? 0 : gate[0].size());
  for (std::size_t f = 0; f < genes.size(); ++f) {
    double sum = 0, least = 1, most = 0;
    int classes = 0;
    for (const std::vector<double>& of_class : gate) {
      if (!std::isfinite(of_class[f])) continue;
      sum += of_class[f];
      least = std::min(least, of_class[f]);
      most = std::max(most, of_class[f]);
      ++classes;
    }
    genes[f] = {f, classes ? sum / classes : 0, classes ? most - least : 0};
  }
  return genes;
}

// The genes with the widest gates, then those whose gate depends most on the class.
std::vector<std::size_t> telling_genes(const std::vector<std::vector<double>>& gate) {
  std::vector<GateOfGene> genes = gates_of_genes(gate);
  std::vector<std::size_t> chosen;
  const auto take = [&](std::size_t count, auto key) {
    std::sort(genes.begin(), genes.end(), [&](const GateOfGene& a, const GateOfGene& b) {
      return key(a) > key(b) || (key(a) == key(b) && a.feature < b.feature);
    });
    for (const GateOfGene& gene : genes) {
      if (count == 0) break;
      if (std::find(chosen.begin(), chosen.end(), gene.feature) != chosen.end()) continue;
      chosen.push_back(gene.feature);
      --count;
    }
  };
  take(kWidestGates, [](const GateOfGene& g) { return g.mean; });
  take(kDependentGates, [](const GateOfGene& g) { return g.spread; });
  return chosen;
}

// Rows of some genes, NaN as null. `gate` [class][gene].
nlohmann::json gate_rows(const std::vector<std::vector<double>>& gate, const std::vector<std::size_t>& genes) {
  nlohmann::json rows = nlohmann::json::array();
  for (const std::size_t gene : genes) {
    nlohmann::json row = nlohmann::json::array();
    for (const std::vector<double>& of_class : gate) row.push_back(number(of_class[gene]));
    rows.push_back(row);
  }
  return rows;
}

// Mean of the splits, where they have a value.
std::vector<std::vector<double>> mean_gate(const std::vector<std::vector<std::vector<double>>>& splits) {
  std::vector<std::vector<double>> mean = splits.front();
  for (std::size_t k = 0; k < mean.size(); ++k)
    for (std::size_t g = 0; g < mean[k].size(); ++g) {
      double sum = 0;
      int count = 0;
      for (const auto& gate : splits) {
        if (!std::isfinite(gate[k][g])) continue;
        sum += gate[k][g];
        ++count;
      }
      mean[k][g] = count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
    }
  return mean;
}

nlohmann::json gates_section(const FinishedRun& run) {
  const std::vector<std::vector<double>> mean = mean_gate(run.judged.gate);
  const std::vector<std::size_t> telling = telling_genes(mean);
  nlohmann::json genes = nlohmann::json::array(), folds = nlohmann::json::array();
  for (const std::size_t g : telling)
    genes.push_back(run.data.genes[static_cast<std::size_t>(run.plan.prepared.fitted.columns[g])]);
  for (const auto& gate : run.judged.gate) folds.push_back(gate_rows(gate, telling));
  nlohmann::json section = {
      {"genes", genes}, {"classes", run.plan.prepared.classes}, {"weights", gate_rows(mean, telling)}};
  if (folds.size() > 1) section["folds"] = folds;
  return section;
}

// Genes left by each step of stage 1, of each split.
nlohmann::json selection_section(const FinishedRun& run) {
  const auto distinct_markers = [](const scannonet::Selection& s) {
    std::set<std::int64_t> genes;
    for (const scannonet::Selection::Marker& m : s.markers) genes.insert(m.gene);
    return genes.size();
  };
  nlohmann::json in_data, counted, variable, markers, chosen;
  for (const scannonet::Selection& s : run.plan.selections) {
    in_data.push_back(run.data.genes.size());
    counted.push_back(s.genes.size());
    variable.push_back(s.variable.size());
    markers.push_back(distinct_markers(s));
    chosen.push_back(s.features.size());
  }
  return {{"steps",
           {{{"name", "In the data"}, {"genes", in_data}},
            {{"name", "Expressed often enough"}, {"genes", counted}},
            {{"name", "Most variable of those"}, {"genes", variable}},
            {{"name", "Markers of a cell type"}, {"genes", markers}},
            {{"name", "Markers and genes correlated with one: what the network reads"}, {"genes", chosen}}}}};
}

void add_judgement(nlohmann::json& report, const FinishedRun& run) {
  const auto classes = static_cast<std::int64_t>(run.plan.prepared.classes.size());
  const std::vector<std::int32_t> predicted = most_probable(run.judged.probability, classes);
  std::vector<std::int32_t> truth;
  for (const std::int64_t cell : run.judged.test_cells)
    truth.push_back(run.plan.prepared.set.labels[static_cast<std::size_t>(cell)]);
  const ClassificationInput judged = {
      .classes = classes, .truth = truth, .predicted = predicted, .probability = run.judged.probability};
  add_confusion_section(report, classification_metrics(judged), run.plan.prepared.classes);
  report["calibration"] = calibration_section(judged);
}

}  // namespace

nlohmann::json report_frame(const Dataset& data, const TrainingPlan& plan, const nlohmann::json& identity) {
  std::int64_t train = 0, validation = 0, test = 0;
  for (const CellSplit& s : plan.prepared.splits) {
    train += static_cast<std::int64_t>(s.train.size());
    validation += static_cast<std::int64_t>(s.validation.size());
    test += static_cast<std::int64_t>(s.test.size());
  }
  const auto splits = static_cast<std::int64_t>(plan.prepared.splits.size());
  nlohmann::json report = {{"format", 1}, {"task", "classification"}};
  report["model"] = {{"name", display_name(plan.system)},
                     {"replicas", plan.tasks.size()},
                     {"parameters", plan.network.parameter_count()},
                     {"genes", plan.prepared.fitted.columns.size()},
                     {"classes", plan.prepared.classes.size()}};
  report["data"] = {{"file", identity.at("data")},
                    {"cells", data.matrix.rows},
                    {"label", data.label_name},
                    {"matrix", data.source->description()},
                    {"sha256", identity.at("sha256")},
                    {"split", {{"train", train / splits}, {"validation", validation / splits}, {"test", test}}}};
  report["run"] = {{"command", identity.at("command")},
                   {"seed", identity.at("seed")},
                   {"device", identity.at("device")},
                   {"date", identity.at("date")},
                   {"versions", identity.at("versions")}};
  return report;
}

void write_training_report(const RunDirectory& out, const FinishedRun& run, const nlohmann::json& metrics) {
  nlohmann::json report = report_frame(run.data, run.plan, run.identity);
  if (run.folds > 0) report["model"]["folds"] = run.folds;
  report["metrics"] = {
      {"test", metrics.at("test")}, {"validation", metrics.at("validation")}, {"train", metrics.at("train")}};
  add_judgement(report, run);
  report["history"] = history_section(run);
  if (!run.judged.gate.empty()) report["gates"] = gates_section(run);
  if (!run.plan.selections.empty()) report["selection"] = selection_section(run);
  report["seconds"] = metrics.at("seconds");
  report["memory"] = {{"peak_bytes", metrics.at("peak_memory_bytes")}};
  report["warnings"] = run.plan.prepared.warnings;
  report["config"] = run.config;
  report.update(run.sections);
  write_report(out.file("report.html"), report);
}

}  // namespace genexx::tools

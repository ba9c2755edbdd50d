// SPDX-License-Identifier: Apache-2.0
#include "tools/dgex_report.h"

#include <fmt/format.h>

namespace genexx::tools {
namespace {

std::string baseline_name(const dgex::Config& config) {
  return config.baseline == "knn" ? "KNN-GE" : config.baseline + " regression";
}

// Of the figures in metrics.json: prepared data are standardised, one matrix is judged in its own units.
const char* unit_of(const DgexData& data) {
  return data.prepared ? "deviations of the gene in its data set" : "the units of the data";
}

std::string summary(const DgexReport& r) {
  const dgex::Part* train = dgex::find_part(r.data.parts, "train");
  const dgex::Part* judged = dgex::find_part(r.data.parts, r.judged);
  const double error = r.metrics.at(r.judged).at("mae").get<double>();
  std::string text = fmt::format(
      "{} of {} x {} tanh units learned from {} profiles to infer {} targets from {} landmarks. On {} {} profiles the "
      "mean absolute error is {:.3f} (in {})",
      r.replicas == 1 ? "A network" : fmt::format("{} networks", r.replicas), r.config.layers, r.config.hidden,
      train->count, r.data.targets.size(), r.data.landmarks.size(), judged->count, r.judged, error, unit_of(r.data));
  if (!r.baseline.empty())
    text += fmt::format(", by {} {:.3f}; {:.1f} % of the targets are better than by it", baseline_name(r.config),
                        r.metrics.at("baseline").at("mae").get<double>(),
                        100 * r.metrics.at("baseline").at("genes_improved").get<double>());
  for (const char* part : {"1000G", "GTEx"})
    if (r.metrics.contains(part))
      text += fmt::format("; {:.3f} on {}", r.metrics.at(part).at("mae").get<double>(), part);
  return text + ".";
}

// Both curves are mean absolute errors in the units of the training set's targets.
nlohmann::json history_section(const DgexReport& r) {
  const auto watched = static_cast<std::size_t>(dgex::monitor_index(r.data.set.monitors, "train"));
  nlohmann::json list = nlohmann::json::array();
  for (std::int64_t replica = 0; replica < r.replicas; ++replica) {
    nlohmann::json s = {{"replica", replica}, {"phase", "train"}, {"chosen_epoch", nullptr}};
    for (const EpochRecord& record : r.history) {
      if (record.replica != replica) continue;
      s["epoch"].push_back(record.epoch);
      s["train_loss"].push_back(record.monitors[watched]);
      s["validation_loss"].push_back(record.validation.absolute_error);
      s["validation_accuracy"].push_back(nullptr);
      if (record.best) s["chosen_epoch"] = record.epoch;
    }
    list.push_back(std::move(s));
  }
  return list;
}

nlohmann::json metrics_section(const DgexReport& r) {
  nlohmann::json section;
  for (const char* part : {"test", "validation", "train", "1000G", "GTEx"}) {
    if (!r.metrics.contains(part)) continue;
    section[part] = r.metrics.at(part);
    section[part].erase("per_gene");
    if (r.replicas == 1) section[part].erase("sd");
  }
  return section;
}

}  // namespace

nlohmann::json dgex_report(const DgexReport& r) {
  nlohmann::json report = {{"format", 1}, {"task", "regression"}, {"config", r.config_json}, {"run", r.run}};
  report["summary"] = summary(r);
  report["model"] = {{"name", "D-GEX"},
                     {"replicas", r.replicas},
                     {"parameters", r.network.parameter_count()},
                     {"genes", r.data.landmarks.size()},
                     {"targets", r.data.targets.size()}};
  nlohmann::json split;
  for (const dgex::Part& part : r.data.parts) split[part.name] = part.count;
  report["data"] = {{"file", r.file},
                    {"cells", r.data.set.cells},
                    {"matrix", r.data.description},
                    {"sha256", r.data.sha256},
                    {"split", split}};
  report["metrics"] = metrics_section(r);
  report["per_gene"] = per_gene_section(r.errors, r.metrics.at(r.judged));
  if (!r.baseline.empty()) {
    nlohmann::json& compared = report["per_gene"]["baseline"] = r.metrics.at("baseline");
    compared["name"] = baseline_name(r.config);
    compared["errors"] = r.baseline;
  }
  report["history"] = history_section(r);
  report["curve"] = r.data.prepared || r.config.standardise == "yes" ? "Mean absolute error, in deviations of the gene"
                                                                     : "Mean absolute error, in the units of the data";
  report["seconds"] = r.metrics.at("seconds");
  report["memory"] = {{"peak_bytes", r.metrics.at("peak_memory_bytes")}};
  return report;
}

}  // namespace genexx::tools

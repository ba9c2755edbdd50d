// SPDX-License-Identifier: Apache-2.0
#include "tools/evaluation_report.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "engine/version.h"
#include "io/field_text.h"
#include "io/report.h"
#include "models/quartiles.h"

namespace genexx::tools {
namespace {

constexpr int kBins = 10;

}  // namespace

std::string display_name(const std::string& system) {
  if (system == "scannonet") return "scAnnoNet";
  if (system == "fly") return "Fly classifier";
  if (system == "mlp") return "Multilayer perceptron";
  if (system == "dgex") return "D-GEX";
  if (system == "transbrain") return "TransBrain";
  return system;
}

std::string today() {
  return fmt::format("{:%F}", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

nlohmann::json calibration_section(const ClassificationInput& judged) {
  std::vector<double> confidence(kBins, 0), right(kBins, 0), count(kBins, 0);
  double cells = 0;
  for (std::size_t i = 0; i < judged.predicted.size(); ++i) {
    if (judged.truth[i] < 0 || judged.predicted[i] < 0) continue;
    const double p =
        judged
            .probability[i * static_cast<std::size_t>(judged.classes) + static_cast<std::size_t>(judged.predicted[i])];
    const auto bin = static_cast<std::size_t>(std::min(kBins - 1, static_cast<int>(p * kBins)));
    confidence[bin] += p;
    right[bin] += judged.predicted[i] == judged.truth[i] ? 1 : 0;
    count[bin] += 1;
    cells += 1;
  }
  nlohmann::json bins = nlohmann::json::array();
  double error = 0;
  for (std::size_t b = 0; b < kBins; ++b) {
    const double n = std::max(count[b], 1.0);
    error += std::abs(right[b] - confidence[b]) / std::max(cells, 1.0);
    bins.push_back({{"from", static_cast<double>(b) / kBins},
                    {"to", static_cast<double>(b + 1) / kBins},
                    {"confidence", confidence[b] / n},
                    {"accuracy", right[b] / n},
                    {"count", count[b]}});
  }
  return {{"bins", bins}, {"expected_error", error}};
}

std::string figure_text(const nlohmann::json& metric) {
  return metric.is_number() ? fmt::format("{:.3f}", metric.get<double>()) : "undefined";
}

void add_confusion_section(nlohmann::json& report, const ClassificationMetrics& m,
                           const std::vector<std::string>& classes) {
  nlohmann::json counts = nlohmann::json::array(), per_class = nlohmann::json::array();
  std::vector<double> f1;
  const auto value = [](const std::optional<double>& x) { return x ? nlohmann::json(*x) : nlohmann::json(); };
  const auto size = static_cast<std::int64_t>(classes.size());
  for (std::int64_t t = 0; t < size; ++t) {
    nlohmann::json row = nlohmann::json::array();
    for (std::int64_t p = 0; p < size; ++p) row.push_back(m.confusion.at(t, p));
    counts.push_back(row);
    const ClassMetrics& c = m.per_class[static_cast<std::size_t>(t)];
    per_class.push_back({{"class", classes[static_cast<std::size_t>(t)]},
                         {"precision", value(c.precision)},
                         {"recall", value(c.recall)},
                         {"f1", value(c.f1)},
                         {"support", c.support}});
    if (c.f1) f1.push_back(*c.f1);
  }
  report["confusion"] = {{"classes", classes}, {"counts", counts}};
  report["per_class"] = per_class;
  report["f1_quartiles"] = quartiles(std::move(f1));
}

std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& classes) {
  std::string text = "true";
  for (const std::string& name : classes) text += "," + csv_field(name);
  text += ",rejected\n";
  const auto size = static_cast<std::int64_t>(classes.size());
  for (std::int64_t t = 0; t < size; ++t) {
    text += csv_field(classes[static_cast<std::size_t>(t)]);
    for (std::int64_t p = 0; p < size; ++p) text += fmt::format(",{}", confusion.at(t, p));
    text += fmt::format(",{}\n", confusion.rejected[static_cast<std::size_t>(t)]);
  }
  return text;
}

void write_evaluation_report(const RunDirectory& out, const Evaluation& e) {
  const Model& model = e.application.model();
  const GeneMatch& match = e.application.match();
  nlohmann::json missing = nlohmann::json::array();
  for (const std::int64_t g : match.missing) missing.push_back(model.recipe.gene_ids[static_cast<std::size_t>(g)]);
  std::int64_t used = 0;
  for (const std::int32_t t : match.target) used += t >= 0 ? 1 : 0;
  nlohmann::json report = {{"format", 1}, {"task", "classification"}};
  report["model"] = {{"name", display_name(model.system)},
                     {"replicas", model.replicas},
                     {"parameters", model.network.parameter_count()},
                     {"genes", model.recipe.genes()},
                     {"classes", model.classes.size()}};
  report["data"] = {{"file", e.data},
                    {"cells", e.application.source().rows()},
                    {"label", e.label},
                    {"matrix", e.application.source().description()}};
  report["run"] = {{"command", e.command}, {"date", today()}, {"versions", {{"genexx", version()}}}};
  report["metrics"] = {{"test", e.document.at("test")}};
  report["genes"] = {{"matched", match.genes - static_cast<std::int64_t>(match.missing.size())},
                     {"missing", match.missing.size()},
                     {"filled", match.missing.size()},
                     {"unused", static_cast<std::int64_t>(match.target.size()) - used},
                     {"by", match.description},
                     {"missing_names", missing}};
  add_confusion_section(report, e.metrics, model.classes);
  report["calibration"] = calibration_section(e.judged);
  write_report(out.file("report.html"), report);
}

}  // namespace genexx::tools

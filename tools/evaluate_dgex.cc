// SPDX-License-Identifier: Apache-2.0
#include "tools/evaluate_dgex.h"

#include <cmath>

#include <fmt/format.h>

#include "engine/error.h"
#include "engine/version.h"
#include "io/report.h"
#include "tools/dgex_outputs.h"
#include "tools/evaluation_report.h"
#include "tools/stop_signal.h"

namespace genexx::tools {
namespace {

// Mean absolute error of each target over the profiles; NaN for targets the data lack.
std::vector<double> errors_of(DgexApplication& model, Console& console) {
  std::vector<double> error(model.targets().size(), 0.0);
  const std::int64_t profiles = model.source().rows();
  model.for_blocks_with_truth([&](const DgexApplication::Block& block) {
    for (std::size_t i = 0; i < block.truth.size(); ++i)
      error[i % error.size()] += std::abs(static_cast<double>(block.targets[i]) - static_cast<double>(block.truth[i]));
    console.show_progress(block.first + block.rows, profiles, "evaluating");
  });
  console.end_progress();
  for (double& e : error) e /= static_cast<double>(profiles);
  return error;
}

void write_errors(const RunDirectory& out, const DgexApplication& model, const std::vector<double>& error) {
  std::string text = "gene\tsymbol\tmae\n";
  for (std::size_t t = 0; t < error.size(); ++t)
    text += fmt::format("{}\t{}\t{}\n", model.targets()[t], model.symbols()[model.landmarks().size() + t],
                        std::isnan(error[t]) ? "" : fmt::format("{:.6g}", error[t]));
  out.write("errors.tsv", text);
}

nlohmann::json report_of(const DgexApplication& model, const std::string& file, const std::string& command) {
  std::int64_t parameters = 0;
  for (const Model& m : model.models()) parameters += m.network.parameter_count();
  nlohmann::json report = {{"format", 1}, {"task", "regression"}};
  report["model"] = {{"name", "D-GEX"},
                     {"replicas", model.models().front().replicas},
                     {"parameters", parameters},
                     {"genes", model.landmarks().size()},
                     {"targets", model.targets().size()}};
  report["data"] = {{"file", file}, {"cells", model.source().rows()}, {"matrix", model.source().description()}};
  report["run"] = {{"command", command}, {"date", today()}, {"versions", {{"genexx", version()}}}};
  return report;
}

}  // namespace

void evaluate_dgex(const ApplicationOptions& application, const DgexPredictionOptions& o, const std::string& out,
                   Program& program) {
  const ReadingOptions& reading = application.reading;
  if (reading.time_limit > 0) set_time_limit(reading.time_limit);
  const RunDirectory::Use use = reading.overwrite ? RunDirectory::Use::add : RunDirectory::Use::fresh;
  RunDirectory::expect(out, use);
  DgexApplication model(application, o, program.console);
  const std::vector<double> error = errors_of(model, program.console);
  DgexErrors found;
  for (const double e : error)
    if (!std::isnan(e)) found.of_mean.push_back(e);
  found.of_replica = {found.of_mean};
  const nlohmann::json test = dgex_metrics(found);
  const nlohmann::json document = {
      {"test", {{"mae", test.at("mae")}, {"mae_sd", test.at("mae_sd")}}},
      {"profiles", model.source().rows()},
      {"targets", {{"judged", found.of_mean.size()}, {"missing", error.size() - found.of_mean.size()}}},
      {"overlap", model.match().overlap}};
  RunDirectory folder(out, use);
  write_errors(folder, model, error);
  nlohmann::json report = report_of(model, reading.data, program.command_line);
  report["metrics"] = {{"test", document.at("test")}};
  report["summary"] = fmt::format("On {} profiles the mean absolute error of {} targets is {:.3f}.",
                                  model.source().rows(), found.of_mean.size(), test.at("mae").get<double>());
  report["per_gene"] = per_gene_section(found, test);
  write_report(folder.file("report.html"), report);
  folder.write_json("metrics.json", document);  // last: who finds it finds the others too
  program.console.say(fmt::format("error {:.4f} over {} targets and {} profiles; report: {}",
                                  test.at("mae").get<double>(), found.of_mean.size(), model.source().rows(),
                                  folder.file("report.html")));
}

}  // namespace genexx::tools

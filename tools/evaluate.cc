// SPDX-License-Identifier: Apache-2.0
// genexx evaluate MODEL DATA --label COL --out DIR: how good a model is on labelled cells.
#include <algorithm>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/class_codes.h"
#include "models/metrics.h"
#include "models/metrics_json.h"
#include "models/transbrain/region_names.h"
#include "tools/evaluate_dgex.h"
#include "tools/evaluation_report.h"
#include "tools/prediction_output.h"
#include "tools/run_directory.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct EvaluateOptions {
  ApplicationOptions application;
  PredictionOptions prediction;
  DgexPredictionOptions dgex;
  std::string out;
};

void evaluate(const EvaluateOptions& o, Program& program) {
  if (is_dgex(o.application.model)) return evaluate_dgex(o.application, o.dgex, o.out, program);
  const ReadingOptions& reading = o.application.reading;
  if (reading.label_column.empty() && reading.labels_file.empty())
    throw RefusedError("which column holds the true labels? Give --label COLUMN, or --labels FILE");
  const RunDirectory::Use use = reading.overwrite ? RunDirectory::Use::add : RunDirectory::Use::fresh;
  RunDirectory::expect(o.out, use);
  Application application(o.application, program.console);
  const std::string column = reading.label_column.empty() ? "label" : reading.label_column;
  std::vector<std::string> truth = labels_of(application.source(), column, reading.excluded_labels);
  const std::vector<std::string> labels = labels_of(application.source(), column, {});
  std::int64_t excluded = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) excluded += truth[i].empty() && !labels[i].empty() ? 1 : 0;
  if (application.model().system == "transbrain" && column == transbrain::kRegionColumn)
    for (std::string& label : truth) label = transbrain::region_of(label);
  const std::vector<std::string>& classes = application.model().classes;
  const std::vector<std::int32_t> codes = encode_with(classes, truth);
  if (std::all_of(codes.begin(), codes.end(), [](std::int32_t c) { return c < 0; }))
    throw RefusedError(reading.data + ": no cell's label in column '" + column +
                       "' is a class of the model; the model knows " + classes.front() + " ... " + classes.back() +
                       " (genexx info lists them)");
  RunDirectory out(o.out, use);
  const CellPredictions p = predict_all(application, o.prediction);
  std::vector<std::int32_t> predicted = p.most_likely;
  for (std::size_t i = 0; i < predicted.size(); ++i)
    if (p.label[i] == o.prediction.unknown_label && !o.prediction.unknown_label.empty()) predicted[i] = kNoClass;
  const ClassificationInput judged = {.classes = static_cast<std::int64_t>(classes.size()),
                                      .truth = codes,
                                      .predicted = predicted,
                                      .probability = p.probability};
  const ClassificationMetrics metrics = classification_metrics(judged);
  const nlohmann::json test = metrics_json(std::vector<ClassificationMetrics>{metrics}, classes);
  const std::int64_t unknown = metrics.unknown_labels - excluded;
  const nlohmann::json document = {{"test", test},
                                   {"unknown_labels", unknown},
                                   {"excluded_labels", excluded},
                                   {"overlap", application.match().overlap}};
  write_prediction_table(out.file("predictions.tsv"), application, p, truth);
  out.write("confusion.csv", confusion_table(metrics.confusion, classes));
  write_evaluation_report(out, {application, judged, metrics, document, program.command_line, reading.data, column});
  out.write_json("metrics.json", document);  // last: who finds it finds the others too
  program.console.say(fmt::format(
      "accuracy {}, macro F1 {}, {} cells judged, {} with labels the model does not know{}; report: {}",
      figure_text(test["accuracy"]), figure_text(test["macro_f1"]), metrics.cells, unknown,
      excluded > 0 ? fmt::format(", {} left out by --exclude-label", excluded) : "", out.file("report.html")));
}

}  // namespace

void add_evaluate(CLI::App& app, Program& program) {
  CLI::App* verb =
      app.add_subcommand("evaluate", "Judges a model on labelled cells, or a D-GEX model on measured targets.");
  const auto o = std::make_shared<EvaluateOptions>();
  add_application_options(*verb, o->application);
  add_prediction_options(*verb, o->prediction);
  add_dgex_prediction_options(*verb, o->dgex);
  verb->add_option("--out", o->out, "directory to write to")->required();
  verb->callback([&program, o] { program.action = [&program, o] { evaluate(*o, program); }; });
}

}  // namespace genexx::tools

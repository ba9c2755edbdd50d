// SPDX-License-Identifier: Apache-2.0
#include "tools/train_outputs.h"

#include <fmt/format.h>

#include "io/predictions.h"
#include "io/split_file.h"
#include "models/history_json.h"
#include "models/metrics_json.h"
#include "tools/process_status.h"

namespace genexx::tools {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string number(const std::optional<double>& x) { return x ? fmt::format("{:.6f}", *x) : ""; }

// A line an iteration, as the published program writes them.
std::string result_csv(const FinishedRun& run) {
  std::string text = "iteration,accuracy,weighted_f1,recall,precision,sensitivity,specificity,seconds\n";
  for (std::size_t i = 0; i < run.judged.test.size(); ++i) {
    const ClassificationMetrics& m = run.judged.test[i];
    double seconds = 0;
    for (const EpochRecord& r : run.trained.history)
      if (r.replica == static_cast<std::int64_t>(i)) seconds += r.seconds;
    text += fmt::format("{},{},{},{},{},{},{},{:.3f}\n", i, number(m.accuracy), number(m.weighted_f1), number(m.recall),
                        number(m.precision), number(m.sensitivity), number(m.specificity), seconds);
  }
  return text;
}

void write_predictions(const RunDirectory& out, const FinishedRun& run) {
  const std::vector<std::string>& classes = run.plan.prepared.classes;
  const auto k = static_cast<std::int64_t>(classes.size());
  const std::vector<std::int32_t> predicted = most_probable(run.judged.probability, k);
  PredictionWriter writer(out.file("predictions.tsv"), classes);
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const auto cell = static_cast<std::size_t>(run.judged.test_cells[i]);
    writer.add(
        {.cell = run.data.source->cell_names()[cell],
         .predicted = classes[static_cast<std::size_t>(predicted[i])],
         .probability = {run.judged.probability.data() + static_cast<std::int64_t>(i) * k, static_cast<std::size_t>(k)},
         .truth = run.data.labels[cell]});
  }
  writer.commit();
}

}  // namespace

std::string gene_list_csv(const std::vector<std::string>& genes, const std::vector<std::string>& classes,
                          const std::vector<scannonet::Selection>& selections) {
  const bool folds = selections.size() > 1;
  std::string text =
      folds ? "fold,celltype,marker_gene,coexpressed_gene,pval\n" : "celltype,marker_gene,coexpressed_gene,pval\n";
  for (std::size_t i = 0; i < selections.size(); ++i)
    for (const auto& c : selections[i].coexpressed)
      text += fmt::format("{}{},{},{},{:.6g}\n", folds ? fmt::format("{},", i + 1) : "",
                          quoted(classes[static_cast<std::size_t>(c.type)]),
                          quoted(genes[static_cast<std::size_t>(c.marker)]),
                          quoted(genes[static_cast<std::size_t>(c.gene)]), c.p_value);
  return text;
}

std::string feature_list_csv(const std::vector<std::string>& genes, const std::vector<std::int64_t>& columns) {
  std::string text = "gene\n";
  for (const std::int64_t f : columns) text += quoted(genes[static_cast<std::size_t>(f)]) + "\n";
  return text;
}

nlohmann::json metrics_document(const FinishedRun& run) {
  return {{"test", metrics_json(run.judged.test, run.plan.prepared.classes)},
          {"validation", metrics_json(run.judged.validation, run.plan.prepared.classes)},
          {"train", metrics_json(run.judged.train, run.plan.prepared.classes)},
          {"seconds",
           {{"read", run.seconds.read},
            {"prepare", run.seconds.prepare},
            {"train", run.seconds.train},
            {"test", run.seconds.test}}},
          {"peak_memory_bytes", peak_memory()},
          {"estimated_memory_bytes", run.estimated_memory},
          {"folds", run.folds},
          {"warnings", run.plan.prepared.warnings}};
}

void write_training_tables(const RunDirectory& out, const std::string& folder, const TrainingTables& t) {
  write_split_file(out.file(folder + "split.json"), {.kind = t.split_kind,
                                                     .seed = t.seed,
                                                     .cell_names = t.data.source->cell_names(),
                                                     .splits = t.plan.prepared.splits});
  out.write(folder + "history.tsv", history_table(t.trained.history, t.trained.phases));
  if (t.plan.selections.empty()) return;
  out.write(folder + "gene_list.csv", gene_list_csv(t.data.genes, t.plan.prepared.classes, t.plan.selections));
  out.write(folder + "feature_list.csv", feature_list_csv(t.data.genes, t.plan.prepared.fitted.columns));
}

void write_tables(const RunDirectory& out, const FinishedRun& run) {
  out.write_json("config.json", run.config);
  write_training_tables(out, "", {run.data, run.plan, run.trained, run.folds > 0 ? "folds" : "replicas", run.seed});
  write_predictions(out, run);
  out.write("result.csv", result_csv(run));
}

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// The files of a training directory.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "models/classification.h"
#include "tools/dataset.h"
#include "tools/run_directory.h"
#include "tools/training_run.h"

namespace genexx::tools {

// Seconds of the stages, for metrics.json.
struct StageSeconds {
  double read = 0, prepare = 0, train = 0, test = 0;
};

// Everything known when a run is over.
struct FinishedRun {
  const Dataset& data;
  const TrainingPlan& plan;
  const TrainedReplicas& trained;
  const Judged& judged;
  const nlohmann::json& config;    // resolved
  const nlohmann::json& identity;  // command, seed, device, versions, data
  std::uint64_t seed = 0;
  std::int64_t folds = 0;
  StageSeconds seconds;
  std::int64_t estimated_memory = 0;                   // bytes, before training
  nlohmann::json sections = nlohmann::json::object();  // further fields of the report
};

// metrics.json.
nlohmann::json metrics_document(const FinishedRun& run);

// What is left of a training whatever it was for: split.json, history.tsv, and of scAnnoNet gene_list.csv and
// feature_list.csv, in `folder`
// of the run ("" or "refit/").
struct TrainingTables {
  const Dataset& data;
  const TrainingPlan& plan;
  const TrainedReplicas& trained;
  const char* split_kind;  // "replicas" or "folds"
  std::uint64_t seed = 0;
};
void write_training_tables(const RunDirectory& out, const std::string& folder, const TrainingTables& tables);

// Those, and config.json, predictions.tsv, result.csv.
void write_tables(const RunDirectory& out, const FinishedRun& run);

// What a report of any run on these cells begins with: the model as planned, the data, the run.
nlohmann::json report_frame(const Dataset& data, const TrainingPlan& plan, const nlohmann::json& identity);

// report.html.
void write_training_report(const RunDirectory& out, const FinishedRun& run, const nlohmann::json& metrics);

// gene_list.csv and feature_list.csv of stage 1.
std::string gene_list_csv(const std::vector<std::string>& genes, const std::vector<std::string>& classes,
                          const std::vector<scannonet::Selection>& selections);
std::string feature_list_csv(const std::vector<std::string>& genes, const std::vector<std::int64_t>& columns);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// The files of a scAnnoNet training directory.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "models/scannonet/judgement.h"
#include "models/trainer.h"
#include "tools/dataset.h"
#include "tools/run_directory.h"

namespace genexx::tools {

// Seconds of the stages, for metrics.json.
struct StageSeconds {
  double read = 0, prepare = 0, train = 0, test = 0;
};

// Everything known when a run is over.
struct FinishedRun {
  const Dataset& data;
  const scannonet::PreparationInput& input;
  const scannonet::Prepared& prepared;
  const scannonet::Judged& judged;
  const std::vector<EpochRecord>& history;
  const TrainerConfig& trainer;
  const nlohmann::json& config;    // resolved
  const nlohmann::json& identity;  // command, seed, device, versions, data
  std::uint64_t seed = 0;
  std::int64_t folds = 0;
  StageSeconds seconds;
};

// metrics.json.
nlohmann::json metrics_document(const FinishedRun& run);

// config.json, split.json, history.tsv, predictions.tsv, gene_list.csv, feature_list.csv, result.csv, metrics.json.
void write_tables(const RunDirectory& out, const FinishedRun& run, const nlohmann::json& metrics);

// report.html. `parameters` and `replicas` describe the model.
void write_training_report(const RunDirectory& out, const FinishedRun& run, const nlohmann::json& metrics,
                           std::int64_t parameters);

// gene_list.csv and feature_list.csv of stage 1.
std::string gene_list_csv(const std::vector<std::string>& genes, const scannonet::Prepared& prepared);
std::string feature_list_csv(const std::vector<std::string>& genes, const scannonet::Prepared& prepared);

// The most memory this process has held, in bytes.
std::int64_t peak_memory();

}  // namespace genexx::tools

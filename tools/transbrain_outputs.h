// SPDX-License-Identifier: Apache-2.0
// The files of a TransBrain training directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "models/model.h"
#include "models/trainer.h"
#include "models/transbrain/config.h"
#include "models/transbrain/region_embedder.h"
#include "models/transbrain/training.h"
#include "tools/homology_report.h"
#include "tools/run_directory.h"
#include "tools/train_outputs.h"

namespace genexx::tools {

// Weights put aside by one rule, for the repeats where it was ever met.
struct RuleWeights {
  std::vector<NamedTensor> weights;  // [r, ...]
  std::vector<bool> met;
};

struct TrainedRegions {
  RuleWeights best_valid, best_rank;
  std::vector<NamedTensor> last;
  std::vector<EpochRecord> history;
};

// The weights that `chosen` names (best_valid, best_rank, last). Repeats that never met the rule keep their last ones,
// with a warning that names them.
std::vector<NamedTensor> chosen_weights(const TrainedRegions& trained, const std::string& chosen,
                                        std::vector<std::string>& warnings);

// Everything known when a run is over.
struct FinishedRegions {
  const transbrain::PreparedRun& prepared;
  const std::vector<std::string>& regions;    // class names
  const std::vector<std::string>& row_names;  // of the training file
  const Network& network;
  const TrainerConfig& trainer;
  const TrainedRegions& trained;
  const transbrain::RankJudge::Embedded& embedded;  // by the chosen weights
  const std::vector<double>& mean_ranks;            // of each repeat, by the chosen weights
  const HomologyResult& homology;                   // averaged over the repeats
  const transbrain::Ranking& raw;                   // by raw expression
  const transbrain::Config& config;
  const nlohmann::json& config_json;
  const nlohmann::json& description;  // command, seed, device, versions, data
  const std::vector<std::string>& warnings;
  const std::string& matrix;  // what was read
  std::uint64_t seed = 0;
  StageSeconds seconds;
};

// Data_LABEL/Repeat_I, where LABEL is what stands behind the last underscore of the training file's stem.
std::string repeat_folder(const std::string& training_file, std::int64_t repeat);

// metrics.json: validation (at the chosen epoch of each repeat) and homology; `test` is null, for there is no test set.
nlohmann::json transbrain_metrics(const FinishedRegions& run);

// config.json, split.json, history.tsv, the tables of the homology, and for each repeat its models, its history and
// its embeddings.
void write_transbrain_tables(const RunDirectory& out, const FinishedRegions& run);

void write_transbrain_report(const RunDirectory& out, const FinishedRegions& run, const nlohmann::json& metrics);

}  // namespace genexx::tools

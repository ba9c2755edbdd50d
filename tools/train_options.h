// SPDX-License-Identifier: Apache-2.0
// What `genexx train` was asked to do, and the configuration that comes of it.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/context.h"
#include "models/mlp/config.h"
#include "models/prepared_cells.h"
#include "models/scannonet/config.h"
#include "tools/dataset.h"
#include "tools/device_options.h"
#include "tools/run_directory.h"
#include "tools/verbs.h"

namespace genexx::tools {

// Files of --model transbrain.
struct RegionOptions {
  std::string human, mouse, pairs, gene_list;
  bool skip_absent_pairs = false;
};

struct TrainOptions {
  ReadingOptions reading;
  RegionOptions regions;
  DeviceOptions on;
  RankOptions ranks;
  std::string model = "scannonet", landmarks, gene_order, out, preset, config_file;
  std::vector<std::string> settings;
  std::int64_t replicas = 10, folds = 0;  // replicas: scannonet and transbrain 10, else 1
  bool replicas_given = false;
  std::uint64_t seed = 0;
  double unknown_error_rate = 0.05;
  bool resume = false, refit = false, dump_config = false, dry_run = false;
};

void add_train_options(CLI::App& verb, TrainOptions& options);
// Those of them that every verb has that trains a classifier.
void add_classifier_options(CLI::App& verb, TrainOptions& options);

// Joins the other ranks of the job, where there are any, and takes this rank's part of the machine where the options
// leave it open.
void join_ranks(TrainOptions& options, Program& program);

// --resume, --overwrite or neither.
RunDirectory::Use use_of(const TrainOptions& options);

// Throws UsageError for options that do not go together.
void check_combination(const TrainOptions& options);

// Throws UsageError for options that --model has no use for: whoever gave one would take the result for another.
void check_options_of_system(const TrainOptions& options);

// The configuration file, then --set, as one object. Throws UsageError or InputError for what is not one.
nlohmann::json given_settings(const TrainOptions& options);

// The configuration of one of the classifiers.
struct SystemConfig {
  std::string system;  // "scannonet", "fly", "mlp"
  std::variant<scannonet::Config, mlp::Config> settings;
};

// Preset, then the configuration file, then --set; strict. Throws UsageError naming what is wrong.
SystemConfig resolve_config(const TrainOptions& options);
// The same of settings that given_settings gave.
SystemConfig resolve_config(const TrainOptions& options, const nlohmann::json& given);
// The same for the verbs that are stages of scAnnoNet.
scannonet::Config resolve_scannonet_config(const TrainOptions& options);
nlohmann::json to_json(const SystemConfig& config);

// The data set as the models take it. References `data`.
CellInput preparation_input(const Dataset& data, const ReadingOptions& reading);
// Tells the user where steps of the preparation are skipped for the kind of the values.
void say_what_is_skipped(const CellInput& input, Console& console);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// What a TransBrain training will do: its settings and files, and all that is read and laid out before the trainer
// takes memory.
#pragma once

#include <string>
#include <vector>

#include "engine/recipe.h"
#include "models/network.h"
#include "models/trainer.h"
#include "models/transbrain/config.h"
#include "models/transbrain/homology.h"
#include "models/transbrain/region_pairs.h"
#include "models/transbrain/training.h"
#include "tools/console.h"
#include "tools/region_files.h"
#include "tools/train_options.h"
#include "tools/train_outputs.h"

namespace genexx::tools {

// Preset, configuration file, then --set. Throws UsageError naming what is wrong.
transbrain::Config transbrain_config(const TrainOptions& options);

// A directory stands for its files; options that name one of them win. Throws UsageError naming the option of a file
// that is still missing.
RegionFiles transbrain_files(const TrainOptions& options);

struct TransbrainPlan {
  std::vector<std::string> genes, row_names, regions;
  Recipe::InputKind kind = Recipe::InputKind::scaled;
  std::string matrix;  // what was read, for people
  transbrain::RegionTable human, mouse;
  transbrain::ResolvedPairs pairs;
  transbrain::PreparedRun prepared;
  Network network;
  TrainerConfig trainer;
};

// Reads all files and splits; `seconds` gets what reading and preparing took. Throws RefusedError for data that are not
// those of the configuration.
TransbrainPlan plan_transbrain(const TrainOptions& options, const RegionFiles& files, const transbrain::Config& config,
                               ThreadPool& pool, Console& console, StageSeconds& seconds);

}  // namespace genexx::tools

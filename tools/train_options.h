// SPDX-License-Identifier: Apache-2.0
// What `genexx train` was asked to do, and the configuration that comes of it.
#pragma once

#include <string>
#include <vector>

#include "engine/context.h"
#include "models/scannonet/config.h"
#include "tools/dataset.h"
#include "tools/verbs.h"

namespace genexx::tools {

struct TrainOptions {
  ReadingOptions reading;
  std::string model = "scannonet", out, preset, config_file, device = "auto", cpu_isa;
  std::vector<std::string> settings;
  std::int64_t replicas = 10, folds = 0;
  std::uint64_t seed = 0;
  double unknown_error_rate = 0.05;
  bool resume = false, dump_config = false, dry_run = false;
};

void add_train_options(CLI::App& verb, TrainOptions& options);

// Preset, then the configuration file, then --set; strict. Throws UsageError naming what is wrong.
scannonet::Config resolve_config(const TrainOptions& options);

// The context asked for; `pool` must outlive it.
std::unique_ptr<Context> device_context(const std::string& device, const std::string& cpu_isa, ThreadPool& pool);

}  // namespace genexx::tools

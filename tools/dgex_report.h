// SPDX-License-Identifier: Apache-2.0
// The report of a D-GEX training: what was trained, and how good it is on every set, beside the baseline.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "models/dgex/config.h"
#include "models/network.h"
#include "models/trainer.h"
#include "tools/dgex_data.h"
#include "tools/dgex_outputs.h"

namespace genexx::tools {

struct DgexReport {
  std::string file;  // the data, as given
  const DgexData& data;
  const dgex::Config& config;
  const nlohmann::json& config_json;
  const Network& network;
  std::int64_t replicas = 1;
  const std::vector<EpochRecord>& history;
  const nlohmann::json& run;            // describe_run
  const nlohmann::json& metrics;        // as in metrics.json
  std::string judged;                   // the part that single genes and the baseline are judged on
  const DgexErrors& errors;             // on it
  const std::vector<double>& baseline;  // error of each target by the baseline, or empty
};

// As tools/report/README.md says.
nlohmann::json dgex_report(const DgexReport& r);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// Runs benches, prints a line for each and collects them as JSON.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bench/support/bench.h"

namespace genexx::bench {

struct ReportRequest {
  std::vector<std::string> names;  // ops; all where empty
  double seconds = 0.3;            // spent on each case
  std::string device;              // as asked for, and what ran it: for the record
  int threads = 1;
  std::string command;
  std::function<void(const std::string&)> say;  // takes the line with the ceilings
};

// Lines go to stdout. Throws UsageError when no bench has one of the names.
nlohmann::json run_benches(Context& ctx, const ReportRequest& request);

}  // namespace genexx::bench

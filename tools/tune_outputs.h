// SPDX-License-Identifier: Apache-2.0
// The files a random search leaves beside those of its model.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/run_directory.h"
#include "tools/train_options.h"
#include "tools/tune_search.h"

namespace genexx::tools {

// tune.tsv: a line a trial, with its place among all.
std::string tune_table(const Search& search);

// tune.tsv, tune_history.tsv (a line an epoch and trial) and tune.json (`settings`: what the search was told).
void write_search(const RunDirectory& out, const Search& search, const std::vector<PhaseConfig>& phases,
                  const nlohmann::json& settings);

// The field "tuning" of the report.
nlohmann::json tuning_section(const Search& search, const tune::Config& config);

// What metrics.json says of the search; `best` is the place of the best trial in search.trials().
nlohmann::json search_summary(const Search& search, std::size_t best, double seconds);

}  // namespace genexx::tools

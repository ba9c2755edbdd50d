// SPDX-License-Identifier: Apache-2.0
// The history of a run as JSON (for checkpoints and reports) and as a table (history.tsv).
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "models/trainer.h"

namespace genexx {

// An array of objects; NaN becomes null.
nlohmann::json history_to_json(const std::vector<EpochRecord>& history);
// The inverse. Throws nlohmann::json::exception for what is not a history.
std::vector<EpochRecord> history_from_json(const nlohmann::json& json);

// A line an epoch and replica, tab-separated, with a header; undefined numbers are empty. `loss_names` of each phase's
// losses become the columns loss:NAME; `columns` says which further ones there are.
struct HistoryColumns {
  std::vector<std::string> monitors = {};  // names of the set's monitors: mae:NAME, and mae:validation before them
  std::string external = "";               // name of what TrainerHooks::judge says; empty: none
  std::string replica = "replica";         // what the numbers of the replicas are called
};
std::string history_table(const std::vector<EpochRecord>& history, const std::vector<PhaseConfig>& phases,
                          const HistoryColumns& columns = {});

}  // namespace genexx

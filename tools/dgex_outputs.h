// SPDX-License-Identifier: Apache-2.0
// What a D-GEX training leaves behind (docs/dgex.md, "Train").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/context.h"
#include "models/dgex/baselines.h"
#include "models/model.h"
#include "models/trainer.h"
#include "tools/dgex_data.h"
#include "tools/run_directory.h"

namespace genexx::tools {

// Errors of a set of weights, or of a baseline, on one part: mean over the profiles of |predicted - true|, in the units
// of the data as they were given to the training.
struct DgexErrors {
  std::vector<std::vector<double>> of_replica;  // [r][targets]; one for a baseline
  std::vector<double> of_mean;                  // [targets], of the mean of the replicas' predictions
};

// Applies the weights to a part. Where `predictions` names a file, the mean prediction is written there as float64, in
// the units of the training set's targets.
DgexErrors judge_dgex(Context& ctx, const DgexData& data, const Network& network,
                      const std::vector<NamedTensor>& weights, std::int64_t replicas, const std::string& part,
                      const std::string& predictions);

// The baseline the configuration names, fitted on the training profiles, on a part; none for baseline.method=none.
std::optional<dgex::LinearModel> fit_dgex_baseline(Context& ctx, ThreadPool& pool, const DgexData& data,
                                                   const dgex::Config& config);
DgexErrors judge_dgex_baseline(Context& ctx, const DgexData& data, const dgex::LinearModel& model,
                               const std::string& part);

// mae, mae_sd (over genes), sd, replicas, mae_of_mean.
nlohmann::json dgex_metrics(const DgexErrors& errors);

// The errors of single genes as the report has them; `of_part` is what dgex_metrics says of them.
nlohmann::json per_gene_section(const DgexErrors& errors, const nlohmann::json& of_part);

// One replica's log.tsv: epoch, the error of each set with its relative change, rate, seconds; the columns of the
// published log. Sets that are not there are empty.
std::string dgex_log(const std::vector<EpochRecord>& history, const std::vector<Monitor>& monitors,
                     std::int64_t replica);

// The trained network as a model file.
Model dgex_model(const DgexData& data, const Network& network, const std::vector<NamedTensor>& weights,
                 std::int64_t replicas);

}  // namespace genexx::tools

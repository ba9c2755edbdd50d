// SPDX-License-Identifier: Apache-2.0
// Metrics as they stand in metrics.json under test, train and validation.
#pragma once

#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "models/metrics.h"

namespace genexx {

// {accuracy, balanced_accuracy, macro_f1, weighted_f1, precision, recall, sensitivity, specificity, auroc, auprc,
//  cells, unknown_labels, rejected,
//  per_class: {NAME: {precision, recall, f1, specificity, auroc, auprc, support}},
//  f1_quartiles: [least, lower quartile, median, upper quartile, greatest] of the classes' F1 where it is defined,
//  sd: {accuracy, ...}, replicas: [{accuracy, ..., cells, unknown_labels, rejected}]}
// Figures are means over the replicas (or folds) where they are defined; null where in none. sd has ddof 1 and is null
// with fewer than two. Counts (cells, support, ...) are means too. `names` are the classes.
nlohmann::json metrics_json(std::span<const ClassificationMetrics> replicas, std::span<const std::string> names);

// {mae, mae_sd, samples, per_gene: {GENE: mae}, sd: {mae, mae_sd}, replicas: [{mae, mae_sd, samples}]}, likewise.
nlohmann::json metrics_json(std::span<const RegressionMetrics> replicas, std::span<const std::string> genes);

}  // namespace genexx

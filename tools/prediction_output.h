// SPDX-License-Identifier: Apache-2.0
// Predictions of all cells of a file, and writing them as a table or into h5ad.
#pragma once

#include <string>
#include <vector>

#include "tools/application.h"

namespace genexx::tools {

struct CellPredictions {
  std::vector<float> probability;         // [cells, classes]
  std::vector<std::int32_t> most_likely;  // [cells]
  std::vector<std::string> label;         // [cells]: the class, or the label of unknown cells
};

// How the verbs that predict say what they want.
struct PredictionOptions {
  std::string unknown_label;  // empty: never reject
  double threshold = -1;      // below: unknown; negative: the model's own
};
// Throws UsageError for options that contradict each other or would merge unknown cells into a class.
void check_prediction_options(const PredictionOptions& options, const std::vector<std::string>& classes);

void add_prediction_options(CLI::App& verb, PredictionOptions& options);

// Predicts every cell. Throws UsageError for --unknown-label with a model that has no threshold.
CellPredictions predict_all(Application& application, const PredictionOptions& options);

// predictions.tsv. `truth` may be empty.
void write_prediction_table(const std::string& path, const Application& application, const CellPredictions& predictions,
                            const std::vector<std::string>& truth);

}  // namespace genexx::tools

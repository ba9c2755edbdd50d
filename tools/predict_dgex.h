// SPDX-License-Identifier: Apache-2.0
// genexx predict with a D-GEX model: targets inferred for any number of profiles, streamed in and out.
#pragma once

#include <optional>
#include <string>

#include "models/model.h"
#include "tools/application.h"
#include "tools/console.h"

namespace genexx::tools {

struct DgexPredictionOptions {
  std::string standardise = "auto";        // auto, own, model, none
  std::optional<bool> destandardise = {};  // default: as the model was trained
};
void add_dgex_prediction_options(CLI::App& verb, DgexPredictionOptions& options);

// Writes landmarks and targets of every profile to .gctx, .gct, .tsv or .h5ad. Throws UsageError for another name,
// RefusedError where genes are missing or values are not finite.
void predict_dgex(const Model& model, const ApplicationOptions& application, const DgexPredictionOptions& options,
                  const std::string& out, Console& console);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// genexx predict with a D-GEX model: targets inferred for any number of profiles, streamed in and out.
#pragma once

#include <string>

#include "tools/console.h"
#include "tools/dgex_application.h"

namespace genexx::tools {

// Writes landmarks and targets of every profile to .gctx, .gct, .tsv or .h5ad. Throws UsageError for another name,
// RefusedError where genes are missing or values are not finite.
void predict_dgex(const ApplicationOptions& application, const DgexPredictionOptions& options, const std::string& out,
                  Console& console);

}  // namespace genexx::tools

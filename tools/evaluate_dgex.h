// SPDX-License-Identifier: Apache-2.0
// genexx evaluate with a D-GEX model: how far inferred targets are from measured ones.
#pragma once

#include <string>

#include "tools/dgex_application.h"
#include "tools/verbs.h"

namespace genexx::tools {

// Writes errors.tsv (gene, symbol, mean absolute error), metrics.json and report.html to the directory `out`. Targets
// the data lack are counted and left out. Throws RefusedError where the data have none, or values are not finite.
void evaluate_dgex(const ApplicationOptions& application, const DgexPredictionOptions& options, const std::string& out,
                   Program& program);

}  // namespace genexx::tools

// SPDX-License-Identifier: Apache-2.0
// The units of a D-GEX model's inputs and outputs, as its file tells them.
#pragma once

#include <string>
#include <vector>

#include "models/model.h"

namespace genexx::tools {

// Of each gene: x becomes (x - mean) / scale.
struct DgexScaling {
  std::vector<double> mean, scale;
};

struct DgexUnits {
  // Trained on one matrix, whose units it reads and predicts; else on landmarks standardised within their data set.
  bool raw = false;
  DgexScaling landmarks, targets;  // of the training data
  std::vector<std::string> target_symbols;
};

// Throws InputError where the model's description lacks them.
DgexUnits dgex_units(const Model& model);

}  // namespace genexx::tools

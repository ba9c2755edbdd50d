// SPDX-License-Identifier: Apache-2.0
// A trained model as an ONNX graph: recipe, network of all replicas, mean of their outputs, temperature.
#pragma once

#include <string>
#include <vector>

#include "io/onnx.h"
#include "models/model.h"

namespace genexx::tools {

// Whether the outputs of the model are classes; else they are values of targets.
bool predicts_classes(const Model& model);

// The genes that a cell must bring to be predicted: those that library size counts, where it is a step (the model's are
// among them), else the model's.
const std::vector<std::string>& genes_read(const Model& model);

// Of each target: y becomes y scale + mean. Empty: targets stay as the network gives them.
struct TargetUnits {
  std::vector<double> mean, scale;
};

// One input, "expression" [cells, genes_read]. Outputs: "probabilities" [cells, classes], as Predictor gives them, or
// "predictions" [cells, targets], in the units given; and "embeddings" [replicas, cells, width], what the output layer
// reads, where that is not the input itself. Library size is the first replica's, as in prediction. Throws InputError
// for a model whose library genes lack one of its own.
OnnxModel onnx_model(const Model& model, const TargetUnits& units = {});

}  // namespace genexx::tools

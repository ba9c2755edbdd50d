// SPDX-License-Identifier: Apache-2.0
// A trained model, whole: network, recipe, weights of all replicas, class names, calibration, and where it came from.
// Written as named tensors and JSON text; nothing in it is executed on loading.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/named_tensor.h"
#include "engine/recipe.h"
#include "models/calibration.h"
#include "models/network.h"

namespace genexx {

// The version of the layout below. A file of a newer one is refused, naming both.
inline constexpr int kModelFormat = 1;

struct Model {
  std::string system;  // "scannonet"
  Network network;
  Recipe recipe;
  std::vector<std::string> classes;  // names in the order of the output
  std::int64_t replicas = 1;
  std::vector<NamedTensor> weights;  // [r, ...] f32
  Calibration calibration;           // of the probabilities averaged over the replicas
  nlohmann::json summary;            // training summary for people: data, versions, metrics, configuration
};

// The two halves of a safetensors file.
struct ModelParts {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;
};
ModelParts to_parts(const Model& model);

// The inverse. Throws InputError naming what is missing or wrong, or "written by a newer version".
Model model_from(const ModelParts& parts);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/error.h"
#include "engine/version.h"

namespace genexx {
namespace {

constexpr const char* kKey = "genexx";

void check_weights(const Model& model) {
  for (const ParameterSpec& p : model.network.parameters()) {
    const auto found = std::find_if(model.weights.begin(), model.weights.end(),
                                    [&](const NamedTensor& w) { return w.name == p.name; });
    if (found == model.weights.end()) throw InputError("model: weights '" + p.name + "' are missing");
    std::vector<std::int64_t> want = {model.replicas};
    want.insert(want.end(), p.shape.begin(), p.shape.end());
    if (found->shape != want || found->dtype != DType::f32)
      throw InputError("model: weights '" + p.name + "' do not have the shape and element type its network asks for");
    std::vector<float> values(found->bytes.size() / sizeof(float));
    std::memcpy(values.data(), found->bytes.data(), values.size() * sizeof(float));
    const auto wrong = std::find_if_not(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
    if (wrong != values.end())
      throw InputError("model: weights '" + p.name + "' hold " + std::to_string(*wrong) + " at place " +
                       std::to_string(wrong - values.begin()) +
                       ", expected finite numbers; the file is damaged, train the model again");
  }
  if (static_cast<std::int64_t>(model.classes.size()) != model.network.output_width())
    throw InputError("model: it names " + std::to_string(model.classes.size()) + " classes and its network has " +
                     std::to_string(model.network.output_width()) + " outputs");
  if (model.recipe.genes() != model.network.input_width())
    throw InputError("model: its recipe lists " + std::to_string(model.recipe.genes()) + " genes and its network has " +
                     std::to_string(model.network.input_width()) + " inputs");
}

}  // namespace

ModelParts to_parts(const Model& model) {
  ModelParts parts;
  parts.tensors = model.weights;
  for (NamedTensor& t : statistics(model.recipe)) parts.tensors.push_back(std::move(t));
  parts.metadata[kKey] = nlohmann::json({{"format", kModelFormat},
                                         {"program", version()},
                                         {"system", model.system},
                                         {"network", model.network.to_json()},
                                         {"recipe", to_json(model.recipe)},
                                         {"classes", model.classes},
                                         {"replicas", model.replicas},
                                         {"calibration", to_json(model.calibration)},
                                         {"summary", model.summary}})
                             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return parts;
}

Model model_from(const ModelParts& parts) {
  const auto found = parts.metadata.find(kKey);
  if (found == parts.metadata.end())
    throw InputError("not a Genexx model: the metadata has no entry '" + std::string(kKey) + "'");
  Model model;
  try {
    const nlohmann::json json = nlohmann::json::parse(found->second);
    const int format = json.at("format").get<int>();
    if (format > kModelFormat)
      throw InputError("the model has format " + std::to_string(format) + ", written by version " +
                       json.value("program", std::string("?")) + ", newer than this program (" + version() +
                       ", format " + std::to_string(kModelFormat) + "); use a newer Genexx");
    model.system = json.at("system").get<std::string>();
    model.network = Network::from_json(json.at("network"));
    model.recipe = recipe_from(json.at("recipe"), parts.tensors);
    model.classes = json.at("classes").get<std::vector<std::string>>();
    model.replicas = json.at("replicas").get<std::int64_t>();
    model.calibration = calibration_from_json(json.at("calibration"));
    model.summary = json.at("summary");
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("model: its description is damaged: ") + e.what());
  }
  for (const NamedTensor& t : parts.tensors)
    if (t.name.rfind("recipe.", 0) != 0) model.weights.push_back(t);
  check_weights(model);
  return model;
}

}  // namespace genexx

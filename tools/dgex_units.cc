// SPDX-License-Identifier: Apache-2.0
#include "tools/dgex_units.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx::tools {
namespace {

DgexScaling scaling_of(const nlohmann::json& dgex, const char* mean, const char* scale, std::size_t genes) {
  DgexScaling s = {dgex.at(mean).get<std::vector<double>>(), dgex.at(scale).get<std::vector<double>>()};
  if (s.mean.size() != genes || s.scale.size() != genes)
    throw InputError(fmt::format("the model's description is damaged: {} and {} are of {} and {} genes, expected {}",
                                 mean, scale, s.mean.size(), s.scale.size(), genes));
  return s;
}

}  // namespace

DgexUnits dgex_units(const Model& model) {
  try {
    const nlohmann::json& dgex = model.summary.at("dgex");
    return {.raw = dgex.value("input", "raw") == "raw",
            .landmarks = scaling_of(dgex, "input_mean", "input_scale", model.recipe.gene_ids.size()),
            .targets = scaling_of(dgex, "target_mean", "target_scale", model.classes.size()),
            .target_symbols = dgex.at("target_symbols").get<std::vector<std::string>>()};
  } catch (const nlohmann::json::exception& error) {
    throw InputError(std::string("the model's description is damaged: ") + error.what());
  }
}

}  // namespace genexx::tools

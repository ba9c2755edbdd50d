// SPDX-License-Identifier: Apache-2.0
// genexx export MODEL --to onnx|safetensors|npz --out FILE: a model for other programs.
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "engine/version.h"
#include "io/npz.h"
#include "io/safetensors.h"
#include "tools/application.h"
#include "tools/onnx_model.h"
#include "tools/output_place.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct ExportOptions {
  std::string model, to, out;
  bool overwrite = false;
};

// What a program needs to know to use the tensors. All but the first two are JSON.
std::map<std::string, std::string> facts_of(const Model& model) {
  const nlohmann::json recipe = to_json(model.recipe);
  return {{"program", std::string("genexx ") + version()},
          {"system", model.system},
          {"input", recipe.at("input").dump()},
          {"genes", nlohmann::json(genes_read(model)).dump()},
          {predicts_classes(model) ? "classes" : "targets", nlohmann::json(model.classes).dump()},
          {"replicas", nlohmann::json(model.replicas).dump()},
          {"network", model.network.to_json().dump()},
          {"recipe", recipe.dump()},
          {"calibration", to_json(model.calibration).dump()}};
}

// One replica's part of [r, ...] weights.
NamedTensor slice(const NamedTensor& weight, std::int64_t replica, std::int64_t replicas) {
  NamedTensor one;
  one.name = fmt::format("replica.{}.{}", replica, weight.name);
  one.dtype = weight.dtype;
  one.shape.assign(weight.shape.begin() + 1, weight.shape.end());
  const auto size = static_cast<std::ptrdiff_t>(weight.bytes.size()) / replicas;
  one.bytes.assign(weight.bytes.begin() + replica * size, weight.bytes.begin() + (replica + 1) * size);
  return one;
}

std::vector<NamedTensor> plain_tensors(const Model& model) {
  std::vector<NamedTensor> tensors;
  for (std::int64_t k = 0; k < model.replicas; ++k)
    for (const NamedTensor& w : model.weights) tensors.push_back(slice(w, k, model.replicas));
  for (NamedTensor& t : statistics(model.recipe)) tensors.push_back(std::move(t));
  return tensors;
}

void export_npz(const Model& model, const std::string& path) {
  const auto list = [](const std::string& name, const std::vector<std::string>& texts) {
    return NpzTexts{name, texts, {static_cast<std::int64_t>(texts.size())}};
  };
  std::vector<NpzTexts> texts = {list("genes", model.recipe.gene_ids),
                                 list(predicts_classes(model) ? "classes" : "targets", model.classes)};
  if (model.recipe.library_genes() > 0) texts.push_back(list("library_genes", model.recipe.library_gene_ids));
  for (const auto& [name, text] : facts_of(model))
    if (name != "genes" && name != "classes" && name != "targets") texts.push_back({name, {text}, {}});
  write_npz(path, plain_tensors(model), texts);
}

void export_model(const ExportOptions& o, Console& console) {
  expect_output(o.out, o.overwrite);
  const Model model = read_model(o.model);
  if (o.to == "onnx") {
    OnnxModel onnx = onnx_model(model);
    onnx.metadata = facts_of(model);
    onnx.description = fmt::format(
        "{} trained by Genexx. Input: {} of the {} genes that the metadata list, cells in rows; the preparation of the "
        "values is part of the graph.",
        model.system, nlohmann::json::parse(onnx.metadata.at("input")).get<std::string>(), genes_read(model).size());
    write_onnx(o.out, onnx);
  } else if (o.to == "safetensors") {
    write_safetensors(o.out, {plain_tensors(model), facts_of(model)});
  } else {
    export_npz(model, o.out);
  }
  console.say(fmt::format("{}: {} replicas of {} as {}", o.out, model.replicas, model.system, o.to));
}

}  // namespace

void add_export(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("export", "Writes a model for other programs: ONNX, safetensors or npz.");
  const auto o = std::make_shared<ExportOptions>();
  verb->add_option("MODEL", o->model, "a model.safetensors, or the directory of a training")->required();
  verb->add_option("--to", o->to, "onnx (recipe and network as one graph), safetensors or npz (weights and recipe)")
      ->required()
      ->check(CLI::IsMember({"onnx", "safetensors", "npz"}));
  verb->add_option("--out", o->out, "file to write")->required();
  verb->add_flag("--overwrite,!--no-overwrite", o->overwrite, "replace a file that is there");
  verb->callback([&program, o] { program.action = [&program, o] { export_model(*o, program.console); }; });
}

}  // namespace genexx::tools

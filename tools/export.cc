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
#include "tools/dgex_units.h"
#include "tools/onnx_model.h"
#include "tools/output_place.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct ExportOptions {
  std::string model, to, out;
  bool overwrite = false;
};

// A model, and what its outputs are counted in where they are no classes.
struct Exported {
  Model model;
  TargetUnits targets;     // of the predictions
  nlohmann::json units;    // for people; null for classes
  std::string input_kind;  // of the values that it reads
};

// D-GEX standardises outside its recipe, as data of another kind may be standardised by themselves. A model of one
// matrix takes and gives values in the units of that matrix: for other programs its standardisation is a step of the
// recipe.
Exported exported(Model model) {
  Exported e;
  e.input_kind = to_json(model.recipe).at("input").get<std::string>();
  if (model.system == "dgex") {
    const DgexUnits units = dgex_units(model);
    e.input_kind = units.raw ? "raw" : "standardised";
    e.targets = {units.targets.mean, units.targets.scale};
    e.units = {{"input", e.input_kind}, {"target_symbols", units.target_symbols}};
    if (units.raw) {
      model.recipe.scaling = Recipe::Scaling::z_score;
      model.recipe.shift = units.landmarks.mean;
      for (const double scale : units.landmarks.scale) model.recipe.factor.push_back(1 / scale);
      e.units["predictions"] = "in the units of the matrix that was trained on";
    } else {
      e.units["predictions"] = "standardised; y scale + mean is in the units of the training data";
    }
  }
  e.model = std::move(model);
  return e;
}

// What a program needs to know to use the tensors. All but the first two are JSON.
std::map<std::string, std::string> facts_of(const Exported& e) {
  const Model& model = e.model;
  std::map<std::string, std::string> facts = {
      {"program", std::string("genexx ") + version()},
      {"system", model.system},
      {"input", nlohmann::json(e.input_kind).dump()},
      {"genes", nlohmann::json(genes_read(model)).dump()},
      {predicts_classes(model) ? "classes" : "targets", nlohmann::json(model.classes).dump()},
      {"replicas", nlohmann::json(model.replicas).dump()},
      {"network", model.network.to_json().dump()},
      {"recipe", to_json(model.recipe).dump()},
      {"calibration", to_json(model.calibration).dump()}};
  if (!e.units.is_null()) facts["units"] = e.units.dump();
  return facts;
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

NamedTensor of_targets(const char* name, const std::vector<double>& values) {
  NamedTensor t{name, DType::f64, {static_cast<std::int64_t>(values.size())}, {}};
  t.bytes.resize(values.size() * sizeof(double));
  std::memcpy(t.bytes.data(), values.data(), t.bytes.size());
  return t;
}

std::vector<NamedTensor> plain_tensors(const Exported& e) {
  std::vector<NamedTensor> tensors;
  for (std::int64_t k = 0; k < e.model.replicas; ++k)
    for (const NamedTensor& w : e.model.weights) tensors.push_back(slice(w, k, e.model.replicas));
  for (NamedTensor& t : statistics(e.model.recipe)) tensors.push_back(std::move(t));
  if (!e.targets.mean.empty()) {
    tensors.push_back(of_targets("targets.mean", e.targets.mean));
    tensors.push_back(of_targets("targets.scale", e.targets.scale));
  }
  return tensors;
}

void export_npz(const Exported& e, const std::string& path) {
  const Model& model = e.model;
  const auto list = [](const std::string& name, const std::vector<std::string>& texts) {
    return NpzTexts{name, texts, {static_cast<std::int64_t>(texts.size())}};
  };
  std::vector<NpzTexts> texts = {list("genes", model.recipe.gene_ids),
                                 list(predicts_classes(model) ? "classes" : "targets", model.classes)};
  if (model.recipe.library_genes() > 0) texts.push_back(list("library_genes", model.recipe.library_gene_ids));
  for (const auto& [name, text] : facts_of(e))
    if (name != "genes" && name != "classes" && name != "targets") texts.push_back({name, {text}, {}});
  write_npz(path, plain_tensors(e), texts);
}

void export_onnx(const Exported& e, const std::string& path) {
  OnnxModel onnx = onnx_model(e.model, e.input_kind == "raw" ? e.targets : TargetUnits{});
  onnx.metadata = facts_of(e);
  onnx.description = fmt::format(
      "{} trained by Genexx. Input: values ({}) of the {} genes that the metadata list, cells in rows; the preparation "
      "of the values is part of the graph.",
      e.model.system, e.input_kind, genes_read(e.model).size());
  write_onnx(path, onnx);
}

void export_model(const ExportOptions& o, Console& console) {
  expect_output(o.out, o.overwrite);
  const Exported e = exported(read_model(o.model));
  if (o.to == "onnx")
    export_onnx(e, o.out);
  else if (o.to == "safetensors")
    write_safetensors(o.out, {plain_tensors(e), facts_of(e)});
  else
    export_npz(e, o.out);
  console.say(fmt::format("{}: {} replicas of {} as {}", o.out, e.model.replicas, e.model.system, o.to));
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

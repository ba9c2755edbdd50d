// SPDX-License-Identifier: Apache-2.0
// genexx info [MODEL]: what this build can do, or what a model is.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/device.h"
#include "engine/version.h"
#include "models/model.h"
#include "tools/application.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

void print_build() {
  fmt::print("genexx {}\n", version());
  fmt::print("CUDA backend: {}\n", built_with_cuda() ? "built in" : "not built in");
  fmt::print("CPU instruction set: {}\n", name_of(best_cpu_isa()));
  fmt::print("devices:\n");
  for (const std::string& line : list_devices()) fmt::print("  {}\n", line);
}

void print_model(const std::string& path) {
  const Model m = read_model(path);
  fmt::print("{}: a {} model of format {}\n", path, m.system, kModelFormat);
  fmt::print("replicas: {}, parameters of each: {}\n", m.replicas, m.network.parameter_count());
  fmt::print("genes: {} ({} ... {})\n", m.recipe.genes(), m.recipe.gene_ids.front(), m.recipe.gene_ids.back());
  if (m.system == "dgex") {
    fmt::print("targets: {} ({} ... {})\n", m.classes.size(), m.classes.front(), m.classes.back());
    nlohmann::json summary = m.summary;
    summary.erase("dgex");  // numbers of every gene
    return fmt::print("summary: {}\n", summary.dump(2));
  }
  fmt::print("classes: {}\n", m.classes.size());
  for (const std::string& name : m.classes) fmt::print("  {}\n", name);
  fmt::print(
      "temperature: {:.4f}; unknown below probability {:.4f} (fitted for an error rate of {:.3f} on validation)\n",
      m.calibration.temperature, m.calibration.threshold, m.calibration.error_rate);
  fmt::print("summary: {}\n", m.summary.dump(2));
}

}  // namespace

void add_info(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("info", "Says what this build can do, or what a model is.");
  const auto path = std::make_shared<std::string>();
  verb->add_option("MODEL", *path, "a model.safetensors, or the directory of a training");
  verb->callback([&program, path] { program.action = [path] { path->empty() ? print_build() : print_model(*path); }; });
}

}  // namespace genexx::tools

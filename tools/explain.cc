// SPDX-License-Identifier: Apache-2.0
// genexx explain MODEL DATA --out FILE: which genes decided, for every cell and for every class.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "engine/version.h"
#include "io/atomic_file.h"
#include "io/report.h"
#include "models/classification.h"
#include "models/config.h"
#include "models/explainer.h"
#include "tools/application.h"
#include "tools/attribution_output.h"
#include "tools/output_place.h"
#include "tools/train_options.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

// Up to here attributions count as adding up.
constexpr double kMostError = 1e-3;

struct ExplainOptions {
  ApplicationOptions application;
  std::string out, method = "ig", baseline = "zero-input", target;
  std::int64_t steps = 64, most_steps = 4096;
  std::size_t top = 20;
  bool all_classes = false;
};

ExplainerOptions explainer_options(const ExplainOptions& o) {
  return {.method = o.method == "ig" ? Attribution::integrated_gradients : Attribution::gradient_input,
          .baseline = o.baseline == "zero-input" ? Baseline::zero_input : Baseline::zero_expression,
          .steps = o.steps,
          .tolerance = kMostError,
          .most_steps = o.most_steps};
}

// The file beside --out whose name goes on with `end`.
std::string beside(const std::string& out, const std::string& end) { return out.substr(0, out.rfind('.')) + end; }

std::int32_t class_called(const std::string& name, const std::vector<std::string>& classes) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found == classes.end())
    throw UsageError("--class " + name + ": the model knows no such class; did you mean '" +
                     nearest_name(name, classes) + "'?");
  return static_cast<std::int32_t>(found - classes.begin());
}

// Which class, or classes, of each cell are explained.
struct Targets {
  const ExplainOptions& options;
  const std::vector<std::string>& classes;
  std::optional<std::int32_t> one;  // --class

  std::int64_t each() const { return options.all_classes ? static_cast<std::int64_t>(classes.size()) : 1; }
  // The class number `k` of those explained of each cell.
  std::vector<std::int32_t> of(Predictor& predictor, const CsrMatrix& rows, std::int64_t k) const {
    if (options.all_classes)
      return std::vector<std::int32_t>(static_cast<std::size_t>(rows.rows), static_cast<std::int32_t>(k));
    if (one) return std::vector<std::int32_t>(static_cast<std::size_t>(rows.rows), *one);
    return most_probable(predictor.probabilities(rows), static_cast<std::int64_t>(classes.size()));
  }
};

// The explanations of a block, one after another for each cell, as the files have them.
AttributionRows joined(const std::vector<Explainer::Explained>& all,
                       const std::vector<std::vector<std::int32_t>>& target, const std::vector<std::string>& cells,
                       std::int64_t first, const std::vector<std::string>& classes) {
  AttributionRows rows;
  const std::size_t n = target.front().size(), genes = n ? all.front().attribution.size() / n : 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < all.size(); ++k) {
      rows.cell.push_back(cells[static_cast<std::size_t>(first) + i]);
      rows.explained.push_back(classes[static_cast<std::size_t>(target[k][i])]);
      rows.difference.push_back(all[k].difference[i]);
      const auto at = all[k].attribution.begin() + static_cast<std::ptrdiff_t>(i * genes);
      rows.values.insert(rows.values.end(), at, at + static_cast<std::ptrdiff_t>(genes));
    }
  return rows;
}

AttributionSummary explain_all(Application& application, const Targets& targets, AttributionWriter& writer) {
  const Model& model = application.model();
  AttributionSummary summary(static_cast<std::int64_t>(model.classes.size()), model.recipe.genes());
  const ApplicationOptions& o = targets.options.application;
  ThreadPool pool(thread_count(o.reading));
  const std::unique_ptr<Context> ctx = device_context(o.on, pool);
  Explainer explainer(*ctx, model, application.match().missing_mask(), explainer_options(targets.options));
  application.for_blocks([&](Predictor& predictor, const CsrMatrix& rows, std::int64_t first) {
    std::vector<std::vector<std::int32_t>> target;
    std::vector<Explainer::Explained> all;
    for (std::int64_t k = 0; k < targets.each(); ++k) {
      target.push_back(targets.of(predictor, rows, k));
      all.push_back(explainer.explain(rows, target.back()));
      for (std::int64_t i = 0; i < rows.rows; ++i)
        summary.add(target.back()[static_cast<std::size_t>(i)],
                    all.back().attribution.data() + i * model.recipe.genes(),
                    all.back().difference[static_cast<std::size_t>(i)]);
    }
    writer.append(joined(all, target, application.source().cell_names(), first, model.classes));
  });
  return summary;
}

void write_top_genes(const std::string& path, const Model& model, const AttributionSummary& summary, std::size_t top) {
  std::string text = "class\tcells\trank\tgene\tmean_attribution\n";
  const std::vector<double> mean = summary.means();
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    int rank = 0;
    for (const std::int64_t g : summary.top_genes(static_cast<std::int64_t>(k), top))
      text += fmt::format("{}\t{}\t{}\t{}\t{:.6g}\n", model.classes[k], summary.cells(static_cast<std::int64_t>(k)),
                          ++rank, model.recipe.gene_ids[static_cast<std::size_t>(g)],
                          mean[k * static_cast<std::size_t>(model.recipe.genes()) + static_cast<std::size_t>(g)]);
  }
  write_file_atomically(path, text);
}

nlohmann::json attributions_section(const Model& model, const AttributionSummary& summary, const ExplainOptions& o) {
  nlohmann::json classes = nlohmann::json::array();
  const std::vector<double> mean = summary.means();
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    if (summary.cells(static_cast<std::int64_t>(k)) == 0) continue;
    nlohmann::json genes = nlohmann::json::array(), values = nlohmann::json::array();
    for (const std::int64_t g : summary.top_genes(static_cast<std::int64_t>(k), o.top)) {
      genes.push_back(model.recipe.gene_ids[static_cast<std::size_t>(g)]);
      values.push_back(mean[k * static_cast<std::size_t>(model.recipe.genes()) + static_cast<std::size_t>(g)]);
    }
    classes.push_back({{"class", model.classes[k]},
                       {"cells", summary.cells(static_cast<std::int64_t>(k))},
                       {"genes", genes},
                       {"values", values}});
  }
  nlohmann::json section = {{"method", o.method == "ig" ? "integrated gradients" : "gradient x input"},
                            {"baseline", o.baseline},
                            {"classes", classes}};
  if (o.method == "ig") {
    section["steps"] = o.steps;
    section["error"] = summary.relative_error();
    section["worst_error"] = summary.worst_error();
  }
  return section;
}

void write_explanation_report(const std::string& path, const Application& application,
                              const AttributionSummary& summary, const ExplainOptions& o, const std::string& command) {
  const Model& model = application.model();
  nlohmann::json report = {{"format", 1}, {"task", "classification"}};
  report["summary"] = fmt::format("Which genes decided for each of {} classes, in {} cells.", model.classes.size(),
                                  application.source().rows());
  report["model"] = {{"name", model.system},
                     {"replicas", model.replicas},
                     {"parameters", model.network.parameter_count()},
                     {"genes", model.recipe.genes()},
                     {"classes", model.classes.size()}};
  report["data"] = {{"file", o.application.reading.data},
                    {"cells", application.source().rows()},
                    {"matrix", application.source().description()}};
  report["run"] = {{"command", command}, {"versions", {{"genexx", version()}}}};
  report["attributions"] = attributions_section(model, summary, o);
  write_report(path, report);
}

void explain(const ExplainOptions& o, Program& program) {
  refuse_unused(o.application.reading, "explain", {Unused::exclude_label});
  Console& console = program.console;
  if (o.all_classes && !o.target.empty()) throw UsageError("--class and --all-classes: leave one of them out");
  const std::string top = beside(o.out, ".top_genes.tsv"), report = beside(o.out, ".report.html");
  const OutputFiles files({o.out, top, report}, o.application.reading.overwrite);
  const Model known = read_model(o.application.model);
  std::optional<std::int32_t> one;
  if (!o.target.empty()) one = class_called(o.target, known.classes);
  Application application(o.application, console);
  const Model& model = application.model();
  const Targets targets = {o, model.classes, one};
  const std::unique_ptr<AttributionWriter> writer = open_attributions(
      o.out, {.cells = application.source().rows(), .classes_each = targets.each(), .genes = model.recipe.gene_ids});
  const AttributionSummary summary = explain_all(application, targets, *writer);
  writer->commit(model.classes, summary.means());
  write_top_genes(top, model, summary, o.top);
  write_explanation_report(report, application, summary, o, program.command_line);
  if (o.method == "ig") {
    const std::string figures =
        fmt::format("attributions add up to the change of the output within {:.2g} of it (worst cell: {:.2g})",
                    summary.relative_error(), summary.worst_error());
    if (summary.relative_error() <= kMostError) {
      console.say(figures);
    } else {
      console.warn(fmt::format("{}, more than {:g}; try more --most-steps than {}", figures, kMostError, o.most_steps));
    }
  }
  console.say(fmt::format("{}, {}, {}", o.out, top, report));
}

}  // namespace

void add_explain(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("explain", "Which genes decided, for every cell and for every class.");
  const auto o = std::make_shared<ExplainOptions>();
  add_application_options(*verb, o->application);
  verb->add_option("--out", o->out,
                   "FILE.h5ad, FILE.tsv or FILE.npy; FILE.top_genes.tsv and FILE.report.html beside it")
      ->required();
  verb->add_option("--method", o->method, "ig (integrated gradients) or gradient-input")
      ->check(CLI::IsMember({"ig", "gradient-input"}))
      ->capture_default_str();
  verb->add_option("--steps", o->steps, "of integrated gradients")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->add_option("--most-steps", o->most_steps, "what cells may take whose attributions do not add up by then")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb->add_option("--baseline", o->baseline, "what a cell is compared with: zero-input or zero-expression")
      ->check(CLI::IsMember({"zero-input", "zero-expression"}))
      ->capture_default_str();
  verb->add_option("--class", o->target, "explain this class in every cell; when not given, the one predicted");
  verb->add_flag("--all-classes", o->all_classes, "explain every class in every cell");
  verb->add_option("--top", o->top, "genes listed for each class")->check(CLI::Range(1, 100000))->capture_default_str();
  verb->callback([&program, o] { program.action = [&program, o] { explain(*o, program); }; });
}

}  // namespace genexx::tools

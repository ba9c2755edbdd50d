// SPDX-License-Identifier: Apache-2.0
// genexx predict MODEL DATA: labels, probabilities and margins for every cell.
#include <fmt/format.h>

#include "engine/error.h"
#include "io/add_predictions.h"
#include "io/predictions.h"
#include "tools/output_place.h"
#include "tools/predict_dgex.h"
#include "tools/prediction_output.h"
#include "tools/verbs.h"

namespace genexx::tools {
namespace {

struct PredictOptions {
  ApplicationOptions application;
  PredictionOptions prediction;
  std::string out, key = "genexx_label";
  bool in_place = false;
  DgexPredictionOptions dgex;
};

H5adPredictions for_h5ad(const Application& application, const CellPredictions& p, const std::string& key) {
  H5adPredictions out;
  out.key = key;
  out.classes = application.model().classes;
  out.labels = as_categorical({key, p.label});
  out.probabilities = p.probability;
  const std::size_t classes = out.classes.size();
  for (std::size_t i = 0; i < p.label.size(); ++i) {
    const Confidence c = confidence({p.probability.data() + i * classes, classes});
    out.probability.push_back(c.probability);
    out.margin.push_back(c.margin);
  }
  return out;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void predict(const PredictOptions& o, Console& console) {
  refuse_unused(o.application.reading, "predict", {Unused::exclude_label});
  const ReadingOptions& reading = o.application.reading;
  if (o.in_place == !o.out.empty())
    throw UsageError("say where the predictions go: --out FILE.h5ad, --out FILE.tsv, or --in-place");
  if (!o.in_place)
    if (is_dgex(o.application.model)) return predict_dgex(o.application, o.dgex, o.out, console);
  const bool table = ends_with(o.out, ".tsv");
  if (!o.in_place && !table && !ends_with(o.out, ".h5ad"))
    throw UsageError("--out " + o.out + ": expected a name that ends in .h5ad or .tsv");
  if (o.in_place) check_replaceable(reading.data);
  if (!o.in_place) expect_output(o.out, reading.overwrite);
  Application application(o.application, console);
  const CellPredictions predictions = predict_all(application, o.prediction);
  if (table) {
    write_prediction_table(o.out, application, predictions, {});
  } else {
    PredictionTarget target;
    target.input = reading.data;
    target.output = o.in_place ? reading.data : o.out;
    target.existing = reading.overwrite ? ExistingKey::replace : ExistingKey::refuse;
    target.reading = reader_options(reading);
    add_predictions(for_h5ad(application, predictions, o.key), target);
  }
  console.say(fmt::format("{} cells annotated: {}", predictions.label.size(), o.in_place ? reading.data : o.out));
}

}  // namespace

void add_predict(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand("predict", "Annotates the cells of a file with a model.");
  const auto o = std::make_shared<PredictOptions>();
  add_application_options(*verb, o->application);
  add_prediction_options(*verb, o->prediction);
  add_dgex_prediction_options(*verb, o->dgex);
  verb->add_option("--out", o->out,
                   "FILE.h5ad (a copy with the predictions) or FILE.tsv; dgex: also FILE.gctx, FILE.gct");
  verb->add_flag("--in-place,!--no-in-place", o->in_place, "add the predictions to DATA itself");
  verb->add_option("--obs-key", o->key, "name of the label column in h5ad")->capture_default_str();
  verb->callback([&program, o] { program.action = [&program, o] { predict(*o, program.console); }; });
}

}  // namespace genexx::tools

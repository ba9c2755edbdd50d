// SPDX-License-Identifier: Apache-2.0
#include "tools/prediction_output.h"

#include <algorithm>

#include "engine/error.h"
#include "io/predictions.h"
#include "io/utf8_text.h"
#include "models/classification.h"

namespace genexx::tools {

void add_prediction_options(CLI::App& verb, PredictionOptions& o) {
  verb.add_option("--unknown-label", o.unknown_label, "label for cells the model is not sure of; off when not given")
      ->check([](const std::string& label) {
        return label.empty() || !is_utf8(label) ? "expected a name of valid UTF-8" : std::string();
      });
  verb.add_option("--unknown-threshold", o.threshold,
                  "probability below which a cell is unknown; the model's own when not given")
      ->check(CLI::Range(0.0, 1.0));
}

void check_prediction_options(const PredictionOptions& o, const std::vector<std::string>& classes) {
  if (o.threshold >= 0 && o.unknown_label.empty())
    throw UsageError("--unknown-threshold goes with --unknown-label NAME, the label of cells below it");
  if (std::find(classes.begin(), classes.end(), o.unknown_label) != classes.end())
    throw UsageError("--unknown-label '" + o.unknown_label + "' is a class of the model; choose another name");
}

CellPredictions predict_all(Application& application, const PredictionOptions& o) {
  const Model& model = application.model();
  check_prediction_options(o, model.classes);
  const double threshold = o.threshold >= 0 ? o.threshold : model.calibration.threshold;
  if (!o.unknown_label.empty() && threshold <= 0)
    throw UsageError("--unknown-label: the model has no fitted threshold; give one with --unknown-threshold");
  CellPredictions out;
  application.for_blocks([&](Predictor& predictor, const CsrMatrix& rows, std::int64_t) {
    const std::vector<float> p = predictor.probabilities(rows);
    out.probability.insert(out.probability.end(), p.begin(), p.end());
  });
  const auto classes = static_cast<std::int64_t>(model.classes.size());
  out.most_likely = most_probable(out.probability, classes);
  for (std::size_t i = 0; i < out.most_likely.size(); ++i) {
    const float best =
        out.probability[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(out.most_likely[i])];
    const bool unknown = !o.unknown_label.empty() && best < threshold;
    out.label.push_back(unknown ? o.unknown_label : model.classes[static_cast<std::size_t>(out.most_likely[i])]);
  }
  return out;
}

void write_prediction_table(const std::string& path, const Application& application, const CellPredictions& predictions,
                            const std::vector<std::string>& truth) {
  const std::size_t classes = application.model().classes.size();
  PredictionWriter writer(path, application.model().classes);
  for (std::size_t i = 0; i < predictions.label.size(); ++i)
    writer.add({.cell = application.source().cell_names()[i],
                .predicted = predictions.label[i],
                .probability = {predictions.probability.data() + i * classes, classes},
                .truth = truth.empty() ? std::string() : truth[i]});
  writer.commit();
}

}  // namespace genexx::tools

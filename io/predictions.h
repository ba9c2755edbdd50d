// SPDX-License-Identifier: Apache-2.0
// predictions.tsv: one line a cell.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/atomic_file.h"

namespace genexx {

// One cell. `probability` has one number a class.
struct PredictionRow {
  std::string cell;
  std::string predicted;
  std::span<const float> probability;
  std::string truth;  // "" where it is not known
};

// Largest probability and its distance from the second largest (from 0 where there is one class). Both 0 for no class.
struct Confidence {
  float probability = 0, margin = 0;
};
Confidence confidence(std::span<const float> probability);

// Writes the columns cell, predicted, probability, margin, true, p:CLASS..., tab separated, atomically. `probability`
// and `margin` are those of confidence(), whatever `predicted` says: it may be the label of unknown cells. Numbers have
// as many digits as give the float back. Tabs and line ends in names become spaces. Throws UsageError for a row with
// another number of probabilities, RuntimeError where the file cannot be written.
class PredictionWriter {
 public:
  PredictionWriter(const std::string& path, const std::vector<std::string>& class_names);
  void add(const PredictionRow& row);
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
  std::size_t classes_;
};

// A whole predictions.tsv. Row-major probabilities, [cells, classes].
struct Predictions {
  std::vector<std::string> class_names;
  std::vector<std::string> cells, predicted, truth;
  std::vector<float> probability;
};

// Throws InputError naming the line for another header, a ragged line or text for a number.
Predictions read_predictions(const std::string& path);

}  // namespace genexx

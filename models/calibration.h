// SPDX-License-Identifier: Apache-2.0
// What a probability is worth: a temperature that makes probabilities honest, and the probability under which a cell is
// better called unknown. Both are fitted on validation cells and stored in the model.
#pragma once

#include <cstdint>
#include <span>

#include <nlohmann/json_fwd.hpp>

namespace genexx {

struct CalibrationInput {
  std::int64_t classes = 0;
  std::span<const std::int32_t> truth;  // [cells]; cells below zero are left out
  std::span<const float> probability;   // [cells, classes], rows sum to 1
};

// Temperatures are sought between these.
constexpr double kLeastTemperature = 0.05, kMostTemperature = 20.0;

// The T that minimizes the mean of -ln softmax(ln(p) / T)[truth], convex in 1 / T (Newton's method, kept in a bracket).
// Below 1 sharpens, above 1 softens. 1 where every cell's true class is its most probable: the minimum then lies at T =
// 0, which no finite sample bears out. Source: Guo et al., "On calibration of modern neural networks", ICML 2017,
// section 4.2. Throws RefusedError without a labelled cell, RuntimeError naming the cell for a NaN.
double fit_temperature(const CalibrationInput& input);

// p^(1/T) scaled to sum 1, row by row, in place. `probability` is [cells, classes].
void apply_temperature(std::span<float> probability, std::int64_t classes, double temperature);

// Sum over `bins` equal bins of the highest probability of |right share - mean probability| times the bin's share of
// cells; a bin holds its upper edge. Source: Guo et al., section 2. Throws as fit_temperature.
double expected_calibration_error(const CalibrationInput& input, std::int64_t bins = 15);

struct Rejection {
  double threshold = 0;  // cells whose highest probability is below it are unknown
  double coverage = 0;   // share of the cells that are kept
  double error = 0;      // share of wrong ones among the kept, at most the error rate asked for
};

// The lowest threshold at which the kept cells' error is at most `error_rate`: the highest probability of one of the
// cells, or just above all of them where even the surest are wrong too often. Throws as fit_temperature; UsageError
// unless 0 <= error_rate < 1.
Rejection fit_rejection(const CalibrationInput& input, double error_rate);

// What a model stores.
struct Calibration {
  double temperature = 1;
  double threshold = 0;   // on probabilities after the temperature
  double error_rate = 0;  // that the threshold was fitted for
};

// Temperature first, then the threshold on what it gives.
Calibration calibrate(const CalibrationInput& input, double error_rate);

// {"temperature": ., "threshold": ., "error_rate": .}
nlohmann::json to_json(const Calibration& calibration);
// Throws InputError when a field is missing or out of range.
Calibration calibration_from_json(const nlohmann::json& json);

// Highest probability less the second highest; the probability itself where there is one class. `p` is one row.
double margin(std::span<const float> p);

// -sum p ln p, in nats: 0 for certainty, ln(classes) for none.
double entropy(std::span<const float> p);

}  // namespace genexx

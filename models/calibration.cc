// SPDX-License-Identifier: Apache-2.0
#include "models/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// A labelled cell: its true class and its row of probabilities.
struct Labelled {
  std::int32_t truth;
  std::span<const float> p;
};

std::vector<Labelled> labelled_cells(const CalibrationInput& input) {
  if (input.probability.size() != input.truth.size() * at(input.classes))
    throw ShapeError("probability has " + std::to_string(input.probability.size()) + " values, expected " +
                         std::to_string(input.truth.size() * at(input.classes)),
                     CodeLocation::here());
  std::vector<Labelled> cells;
  for (std::size_t i = 0; i < input.truth.size(); ++i) {
    if (input.truth[i] < 0) continue;
    if (input.truth[i] >= input.classes)
      throw ShapeError("cell " + std::to_string(i) + " is of class " + std::to_string(input.truth[i]) +
                           ", expected less than " + std::to_string(input.classes),
                       CodeLocation::here());
    const std::span<const float> row = input.probability.subspan(i * at(input.classes), at(input.classes));
    if (std::any_of(row.begin(), row.end(), [](float p) { return std::isnan(p); }))
      throw RuntimeError("a probability of validation cell " + std::to_string(i) +
                         " is NaN, expected a number; training has probably diverged, try a lower learning rate");
    cells.push_back(Labelled{input.truth[i], row});
  }
  if (cells.empty())
    throw RefusedError("no validation cell has a label, expected some; give a validation fraction over 0");
  return cells;
}

// ln(p), of zero the logarithm of the least normal float.
double log_of(float p) { return std::log(static_cast<double>(std::max(p, std::numeric_limits<float>::min()))); }

struct Slope {
  double first = 0, second = 0;  // derivatives of the mean negative log-likelihood by b = 1 / T
};

// With q = softmax(b ln p): first = E_q[ln p] - ln p_truth, second = Var_q[ln p], means over cells.
Slope slope_at(const std::vector<Labelled>& cells, double b) {
  Slope slope;
  for (const Labelled& cell : cells) {
    const double highest = log_of(*std::max_element(cell.p.begin(), cell.p.end()));
    double total = 0, mean = 0, square = 0;
    for (const float p : cell.p) {
      const double distance = log_of(p) - highest, weight = std::exp(b * distance);
      total += weight;
      mean += weight * distance;
      square += weight * distance * distance;
    }
    mean /= total;
    slope.first += mean - (log_of(cell.p[at(cell.truth)]) - highest);
    slope.second += square / total - mean * mean;
  }
  slope.first /= static_cast<double>(cells.size());
  slope.second /= static_cast<double>(cells.size());
  return slope;
}

struct Answer {
  float confidence;
  bool right;
};

Answer answer_of(const Labelled& cell) {
  const auto best = std::max_element(cell.p.begin(), cell.p.end());
  return {*best, best - cell.p.begin() == cell.truth};
}

// No other class is as probable as the true one or more.
bool all_certain(const std::vector<Labelled>& cells) {
  return std::all_of(cells.begin(), cells.end(), [](const Labelled& cell) {
    const float own = cell.p[at(cell.truth)];
    return std::count_if(cell.p.begin(), cell.p.end(), [&](float p) { return p >= own; }) == 1;
  });
}

}  // namespace

double fit_temperature(const CalibrationInput& input) {
  const std::vector<Labelled> cells = labelled_cells(input);
  if (all_certain(cells)) return 1;
  double low = 1 / kMostTemperature, high = 1 / kLeastTemperature;
  if (slope_at(cells, low).first >= 0) return kMostTemperature;
  if (slope_at(cells, high).first <= 0) return kLeastTemperature;
  double b = 1;
  for (int round = 0; round < 100; ++round) {
    const Slope slope = slope_at(cells, b);
    (slope.first > 0 ? high : low) = b;
    double next = b - slope.first / slope.second;
    if (!(next > low && next < high)) next = (low + high) / 2;
    const double moved = std::fabs(next - b);
    b = next;
    if (moved <= 1e-14 * b) break;
  }
  return 1 / b;
}

void apply_temperature(std::span<float> probability, std::int64_t classes, double temperature) {
  if (temperature == 1) return;
  std::vector<double> weights(at(classes));
  for (std::size_t begin = 0; begin + at(classes) <= probability.size(); begin += at(classes)) {
    const std::span<float> row = probability.subspan(begin, at(classes));
    const double highest = std::log(static_cast<double>(*std::max_element(row.begin(), row.end())));
    double total = 0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      weights[c] = std::exp((std::log(static_cast<double>(row[c])) - highest) / temperature);
      total += weights[c];
    }
    for (std::size_t c = 0; c < row.size(); ++c) row[c] = static_cast<float>(weights[c] / total);
  }
}

double expected_calibration_error(const CalibrationInput& input, std::int64_t bins) {
  const std::vector<Labelled> cells = labelled_cells(input);
  std::vector<double> gap(at(bins));  // sum of (right - probability) in each bin
  for (const Labelled& cell : cells) {
    const Answer answer = answer_of(cell);
    const double confidence = static_cast<double>(answer.confidence);
    const std::int64_t bin = static_cast<std::int64_t>(std::ceil(confidence * static_cast<double>(bins))) - 1;
    gap[at(std::clamp<std::int64_t>(bin, 0, bins - 1))] += (answer.right ? 1 : 0) - confidence;
  }
  double error = 0;
  for (const double g : gap) error += std::fabs(g);
  return error / static_cast<double>(cells.size());
}

Rejection fit_rejection(const CalibrationInput& input, double error_rate) {
  if (!(error_rate >= 0 && error_rate < 1))
    throw UsageError("the error rate is " + std::to_string(error_rate) + ", expected 0 or more and less than 1");
  std::vector<Answer> answers;
  for (const Labelled& cell : labelled_cells(input)) answers.push_back(answer_of(cell));
  std::sort(answers.begin(), answers.end(),
            [](const Answer& a, const Answer& b) { return a.confidence > b.confidence; });
  const double cells = static_cast<double>(answers.size());
  Rejection best;
  best.threshold = static_cast<double>(std::nextafter(answers.front().confidence, 2.0f));
  double wrong = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    wrong += answers[i].right ? 0 : 1;
    if (i + 1 < answers.size() && answers[i + 1].confidence == answers[i].confidence) continue;
    const double kept = static_cast<double>(i + 1);
    if (wrong > error_rate * kept) continue;
    best = {static_cast<double>(answers[i].confidence), kept / cells, wrong / kept};
  }
  return best;
}

Calibration calibrate(const CalibrationInput& input, double error_rate) {
  Calibration calibration;
  calibration.error_rate = error_rate;
  calibration.temperature = fit_temperature(input);
  std::vector<float> probability(input.probability.begin(), input.probability.end());
  apply_temperature(probability, input.classes, calibration.temperature);
  calibration.threshold =
      fit_rejection({.classes = input.classes, .truth = input.truth, .probability = probability}, error_rate).threshold;
  return calibration;
}

nlohmann::json to_json(const Calibration& c) {
  return {{"temperature", c.temperature}, {"threshold", c.threshold}, {"error_rate", c.error_rate}};
}

Calibration calibration_from_json(const nlohmann::json& json) {
  Calibration c;
  try {
    c.temperature = json.at("temperature").get<double>();
    c.threshold = json.at("threshold").get<double>();
    c.error_rate = json.at("error_rate").get<double>();
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("the model's calibration cannot be read: ") + e.what() +
                     "; expected numbers temperature, threshold and error_rate. Train the model again");
  }
  if (!(c.temperature > 0 && std::isfinite(c.temperature) && std::isfinite(c.threshold) && c.error_rate >= 0 &&
        c.error_rate < 1))
    throw InputError("the model's calibration is " + json.dump() +
                     ", expected a temperature over 0 and an error rate from 0 to less than 1. Train the model again");
  return c;
}

double margin(std::span<const float> p) {
  float first = 0, second = 0;
  for (const float value : p) {
    second = std::max(second, std::min(first, value));
    first = std::max(first, value);
  }
  return static_cast<double>(first) - static_cast<double>(second);
}

double entropy(std::span<const float> p) {
  double sum = 0;
  for (const float value : p)
    if (value > 0) sum -= static_cast<double>(value) * std::log(static_cast<double>(value));
  return sum;
}

}  // namespace genexx

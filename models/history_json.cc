// SPDX-License-Identifier: Apache-2.0
#include "models/history_json.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace genexx {
namespace {

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }

nlohmann::json numbers(const std::vector<double>& values) {
  nlohmann::json list = nlohmann::json::array();
  for (const double x : values) list.push_back(number(x));
  return list;
}

double number_or_nan(const nlohmann::json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

std::string cell(double x) { return std::isfinite(x) ? fmt::format("{:.9g}", x) : ""; }

}  // namespace

nlohmann::json history_to_json(const std::vector<EpochRecord>& history) {
  nlohmann::json list = nlohmann::json::array();
  for (const EpochRecord& r : history) {
    list.push_back({{"phase", r.phase},
                    {"epoch", r.epoch},
                    {"replica", r.replica},
                    {"losses", numbers(r.losses)},
                    {"training_accuracy", number(r.training_accuracy)},
                    {"learning_rate", number(r.learning_rate)},
                    {"validation_loss", number(r.validation.loss)},
                    {"validation_accuracy", number(r.validation.accuracy)},
                    {"validation_macro_f1", number(r.validation.macro_f1)},
                    {"validation_absolute_error", number(r.validation.absolute_error)},
                    {"monitors", numbers(r.monitors)},
                    {"external", number(r.external)},
                    {"best", r.best},
                    {"seconds", r.seconds}});
  }
  return list;
}

std::vector<EpochRecord> history_from_json(const nlohmann::json& json) {
  std::vector<EpochRecord> history;
  for (const nlohmann::json& line : json) {
    EpochRecord r;
    r.phase = line.at("phase").get<std::string>();
    r.epoch = line.at("epoch").get<std::int64_t>();
    r.replica = line.at("replica").get<std::int64_t>();
    for (const nlohmann::json& loss : line.at("losses")) r.losses.push_back(number_or_nan(loss));
    r.training_accuracy = number_or_nan(line.at("training_accuracy"));
    r.learning_rate = number_or_nan(line.at("learning_rate"));
    r.validation = {number_or_nan(line.at("validation_loss")), number_or_nan(line.at("validation_accuracy")),
                    number_or_nan(line.at("validation_macro_f1")), number_or_nan(line.at("validation_absolute_error"))};
    for (const nlohmann::json& value : line.at("monitors")) r.monitors.push_back(number_or_nan(value));
    r.external = number_or_nan(line.at("external"));
    r.best = line.at("best").get<bool>();
    r.seconds = line.at("seconds").get<double>();
    history.push_back(std::move(r));
  }
  return history;
}

std::string history_table(const std::vector<EpochRecord>& history, const std::vector<PhaseConfig>& phases,
                          const HistoryColumns& columns) {
  std::vector<std::string> names;
  for (const PhaseConfig& phase : phases)
    for (const LossSpec& loss : phase.losses)
      if (std::find(names.begin(), names.end(), loss.name) == names.end()) names.push_back(loss.name);
  std::string text = "phase\tepoch\t" + columns.replica + "\tlearning_rate";
  for (const std::string& name : names) text += "\tloss:" + name;
  text += "\tvalidation_loss\tvalidation_accuracy\tvalidation_macro_f1";
  if (!columns.monitors.empty()) text += "\tmae:validation";
  for (const std::string& name : columns.monitors) text += "\tmae:" + name;
  if (!columns.external.empty()) text += "\t" + columns.external;
  text += "\tbest\tseconds\n";
  for (const EpochRecord& r : history) {
    text += fmt::format("{}\t{}\t{}\t{:.9g}", r.phase, r.epoch, r.replica, r.learning_rate);
    const auto phase =
        std::find_if(phases.begin(), phases.end(), [&](const PhaseConfig& p) { return p.name == r.phase; });
    for (const std::string& name : names) {
      text += '\t';
      if (phase == phases.end()) continue;
      for (std::size_t i = 0; i < phase->losses.size() && i < r.losses.size(); ++i)
        if (phase->losses[i].name == name) text += cell(r.losses[i]);
    }
    text +=
        fmt::format("\t{}\t{}\t{}", cell(r.validation.loss), cell(r.validation.accuracy), cell(r.validation.macro_f1));
    if (!columns.monitors.empty()) text += '\t' + cell(r.validation.absolute_error);
    for (std::size_t i = 0; i < columns.monitors.size(); ++i)
      text += '\t' + (i < r.monitors.size() ? cell(r.monitors[i]) : "");
    if (!columns.external.empty()) text += '\t' + cell(r.external);
    text += fmt::format("\t{}\t{:.6f}\n", r.best ? 1 : 0, r.seconds);
  }
  return text;
}

}  // namespace genexx

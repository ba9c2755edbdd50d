// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/config.h"

#include <array>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/config.h"

namespace genexx::transbrain {
namespace {

// Spec, section 2.1.
struct Preset {
  const char* name;
  std::int64_t inputs, outputs;
};

constexpr std::array<Preset, 3> kPresets = {
    {{"cortical", 4542, 105}, {"subcortical", 5063, 22}, {"shared", 5451, 127}}};

template <class T>
void expect(bool holds, const char* field, const T& value, const char* expected) {
  if (!holds) throw UsageError(fmt::format("configuration: {} is {}, expected {}", field, value, expected));
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

void apply_preset(Config& config, const std::string& name) {
  for (const Preset& preset : kPresets)
    if (name == preset.name) {
      config.inputs = preset.inputs;
      config.outputs = preset.outputs;
      return;
    }
  throw UsageError("there is no preset '" + name + "'; did you mean '" + nearest_name(name, preset_names()) +
                   "'? The presets are cortical, subcortical and shared");
}

void apply_compat(Config& config) {
  if (config.compat != "reference") return;
  config.worst_kept_loss = 4;
  config.worst_kept_rank = 20;
}

void check(const Config& c) {
  expect(c.batch >= 1 && c.batch <= 1'000'000, "train.batch", c.batch, "1 to 1000000");
  expect(c.epochs >= 1 && c.epochs <= 1'000'000, "train.epochs", c.epochs, "1 to 1000000");
  expect(c.learning_rate > 0 && c.learning_rate <= 10, "train.learning_rate", c.learning_rate, "over 0, at most 10");
  expect(c.weight_decay >= 0 && c.weight_decay <= 1, "train.weight_decay", c.weight_decay, "0 to 1");
  expect(c.lr_decay > 0 && c.lr_decay <= 1, "train.lr_decay", c.lr_decay, "over 0, at most 1");
  expect(c.lr_decay_epochs >= 1, "train.lr_decay_epochs", c.lr_decay_epochs, "at least 1");
  expect(c.dropout >= 0 && c.dropout < 1, "train.dropout", c.dropout, "0 or more, less than 1");
  expect(c.patience >= 0, "train.patience", c.patience, "0 or more");
  expect(c.worst_kept_loss >= 0, "train.worst_kept_loss", c.worst_kept_loss, "0 or more");
  expect(c.worst_kept_rank >= 0, "train.worst_kept_rank", c.worst_kept_rank, "0 or more");
  expect(c.inputs >= 0, "network.inputs", c.inputs, "0 or more");
  expect(c.outputs >= 0, "network.outputs", c.outputs, "0 or more");
  expect(c.hidden1 >= 1 && c.hidden1 <= 1'000'000, "network.hidden1", c.hidden1, "1 to 1000000");
  expect(c.hidden2 >= 1 && c.hidden2 <= 1'000'000, "network.hidden2", c.hidden2, "1 to 1000000");
  expect(c.hidden3 >= 1 && c.hidden3 <= 1'000'000, "network.hidden3", c.hidden3, "1 to 1000000");
  expect(c.validation_fraction > 0 && c.validation_fraction < 1, "split.validation", c.validation_fraction,
         "over 0, less than 1");
  expect(c.permutations >= 0 && c.permutations <= 100'000'000, "homology.permutations", c.permutations,
         "0 to 100000000");
}

}  // namespace genexx::transbrain

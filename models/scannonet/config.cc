// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/config.h"

#include <array>

#include "engine/error.h"
#include "models/config.h"

namespace genexx::scannonet {
namespace {

enum class Protocol { intra, inter, cross };

struct Preset {
  const char* name;
  std::int64_t batch;
  double learning_rate;
  double discriminative_weight;
  const char* oversampling;
  Protocol protocol;
  std::int64_t leading_test_cells;
};

// The settings table of the published program and the cell counts of its inter-dataset split.
constexpr std::array<Preset, 14> kPresets = {{
    {"AMB", 256, 0.01, 1000, "yes", Protocol::intra, 0},
    {"Baron Human", 256, 0.0005, 1000, "yes", Protocol::intra, 0},
    {"Segerstolpe", 256, 0.0001, 1000, "no", Protocol::intra, 0},
    {"TM", 256, 0.01, 1000, "yes", Protocol::intra, 0},
    {"Zheng 68K", 256, 0.0003, 10000, "yes", Protocol::intra, 0},
    {"Zheng sorted", 256, 0.0003, 10000, "no", Protocol::intra, 0},
    {"10Xv2", 256, 0.0001, 1000, "yes", Protocol::inter, 6444},
    {"10Xv3", 256, 0.00008, 1000, "yes", Protocol::inter, 3222},
    {"Drop-Seq", 256, 0.00005, 1000, "yes", Protocol::inter, 3222},
    {"inDrop", 256, 0.0001, 1000, "yes", Protocol::inter, 3222},
    {"Seq-Well", 256, 0.0002, 1000, "yes", Protocol::inter, 3176},
    {"Dendritic", 128, 0.0001, 1000, "yes", Protocol::cross, 0},
    {"Retina(5)", 128, 0.0003, 1000, "yes", Protocol::cross, 0},
    {"Retina(19)", 128, 0.0003, 1000, "yes", Protocol::cross, 0},
}};

void expect(bool holds, const char* key, const std::string& found, const char* wanted) {
  if (!holds) throw UsageError(std::string("configuration: ") + key + " is " + found + ", expected " + wanted);
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& p : kPresets) names.emplace_back(p.name);
  return names;
}

void apply_preset(Config& config, const std::string& name) {
  for (const Preset& p : kPresets) {
    if (name != p.name) continue;
    config.batch = p.batch;
    config.learning_rate = p.learning_rate;
    config.discriminative_weight = p.discriminative_weight;
    config.oversampling = p.oversampling;
    if (p.protocol == Protocol::inter) {
      config.split = "leading";
      config.leading_test_cells = p.leading_test_cells;
    }
    if (p.protocol == Protocol::cross) {
      config.split = "batch";
      config.min_class_cells = 100;
    }
    return;
  }
  std::string list;
  for (const std::string& known : preset_names()) list += (list.empty() ? "" : ", ") + known;
  throw UsageError("there is no preset '" + name + "'; did you mean '" + nearest_name(name, preset_names()) +
                   "'? The presets are " + list);
}

void apply_compat(Config& config) {
  if (config.compat != "reference") return;
  if (config.split == "stratified") config.split = "random";
  config.fit_on = "all";
  config.min_gene_counts = 1000;
  config.keep = "last";
  config.patience = 0;
  if (config.retrain == "auto") config.retrain = "no";
  if (config.batch == 0) config.batch = 256;
  if (config.oversampling == "auto") config.oversampling = "yes";
}

void check(const Config& c) {
  expect(c.batch >= 0, "train.batch", std::to_string(c.batch), "0 or more");
  expect(c.epochs >= 1, "train.epochs", std::to_string(c.epochs), "at least 1");
  expect(c.pretrain_epochs >= 0, "train.pretrain_epochs", std::to_string(c.pretrain_epochs), "0 or more");
  expect(c.learning_rate > 0, "train.learning_rate", std::to_string(c.learning_rate), "a positive number");
  expect(c.pretrain_learning_rate > 0, "train.pretrain_learning_rate", std::to_string(c.pretrain_learning_rate),
         "a positive number");
  expect(c.dropout >= 0 && c.dropout < 1, "train.dropout", std::to_string(c.dropout), "0 or more and below 1");
  expect(c.label_smoothing >= 0 && c.label_smoothing < 1, "train.label_smoothing", std::to_string(c.label_smoothing),
         "0 or more and below 1");
  expect(c.lr_decay > 0 && c.lr_decay <= 1, "train.lr_decay", std::to_string(c.lr_decay), "above 0, at most 1");
  expect(c.lr_decay_steps >= 1, "train.lr_decay_steps", std::to_string(c.lr_decay_steps), "at least 1");
  expect(c.patience >= 0, "train.patience", std::to_string(c.patience), "0 or more");
  expect(c.squeeze_width >= 1 && c.hidden_width >= 1 && c.embedding_width >= 1, "network widths", "below 1",
         "at least 1");
  expect(c.validation_fraction >= 0 && c.test_fraction >= 0 && c.validation_fraction + c.test_fraction < 1,
         "split.validation + split.test", std::to_string(c.validation_fraction + c.test_fraction), "below 1");
  expect(c.variable_genes >= 1, "select.variable_genes", std::to_string(c.variable_genes), "at least 1");
  expect(c.markers_per_class >= 1, "select.markers_per_class", std::to_string(c.markers_per_class), "at least 1");
  expect(c.max_p_value > 0 && c.max_p_value <= 1, "select.max_p_value", std::to_string(c.max_p_value),
         "above 0, at most 1");
}

}  // namespace genexx::scannonet

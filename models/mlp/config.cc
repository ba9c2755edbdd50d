// SPDX-License-Identifier: Apache-2.0
#include "models/mlp/config.h"

#include <algorithm>

#include "engine/error.h"

namespace genexx::mlp {
namespace {

constexpr const char* kReport = "Owens and Swingle";

// The published classifier saw 20,679 cells; from here on its size is taken.
constexpr std::int64_t kPublishedCells = 10000;
constexpr std::int64_t kPublishedEpochs = 30, kPublishedSteps = 3400, kMostEpochs = 300;
constexpr std::int64_t kPublishedWidth = 8192, kSmallWidth = 1024;
// Rate times width is kept: the change of a unit's input in a step grows with the number of units that feed it.
constexpr double kRateTimesWidth = 0.5;

void expect(bool holds, const char* key, const std::string& found, const char* wanted) {
  if (!holds) throw UsageError(std::string("configuration: ") + key + " is " + found + ", expected " + wanted);
}

void check_layers(const char* key, const std::vector<std::int64_t>& values, std::size_t layers) {
  for (const std::int64_t v : values)
    expect(v >= 1 && v <= 1'000'000, key, "[... " + std::to_string(v) + " ...]", "1 to 1000000");
  expect(values.size() == 1 || values.size() == layers, key, "a list of " + std::to_string(values.size()),
         "one value, or one for each of network.convolution.channels");
}

void check_convolution(const Config& c) {
  const std::size_t layers = c.conv_channels.size();
  for (const std::int64_t channels : c.conv_channels)
    expect(channels >= 1 && channels <= 1'000'000, "network.convolution.channels",
           "[... " + std::to_string(channels) + " ...]", "1 to 1000000 filters");
  if (layers == 0) return;
  check_layers("network.convolution.width", c.conv_width, layers);
  check_layers("network.convolution.stride", c.conv_stride, layers);
  check_layers("network.convolution.pool", c.conv_pool, layers);
}

}  // namespace

std::vector<std::string> preset_names() { return {kReport}; }

void apply_preset(Config& c, const std::string& name) {
  if (name != kReport) throw UsageError("--preset " + name + ": there is no such preset; there is '" + kReport + "'");
  c.widths = {kPublishedWidth, kPublishedWidth};
  c.batch = 128;
  c.learning_rate = 1e-6;
  c.weight_decay = 1e-3;
  c.dropout = 0.2;
  c.epochs = 30;
  c.min_class_cells = 50;
}

void check(const Config& c) {
  for (const std::int64_t w : c.widths)
    expect(w >= 1 && w <= 1'000'000, "network.widths", "[... " + std::to_string(w) + " ...]", "1 to 1000000 units");
  check_convolution(c);
  expect(c.dropout >= 0 && c.dropout < 1, "network.dropout", std::to_string(c.dropout), "at least 0, below 1");
  expect(c.batch == 0 || c.batch >= 2, "train.batch", std::to_string(c.batch), "0 or at least 2");
  expect(c.epochs >= 0, "train.epochs", std::to_string(c.epochs), "not negative");
  expect(c.learning_rate >= 0, "train.learning_rate", std::to_string(c.learning_rate), "not negative");
  expect(c.weight_decay >= 0, "train.weight_decay", std::to_string(c.weight_decay), "not negative");
  expect(c.momentum >= 0 && c.momentum < 1, "train.momentum", std::to_string(c.momentum), "at least 0, below 1");
  expect(c.lr_decay > 0 && c.lr_decay <= 1, "train.lr_decay", std::to_string(c.lr_decay), "above 0, at most 1");
  expect(c.lr_decay_epochs >= 1, "train.lr_decay_epochs", std::to_string(c.lr_decay_epochs), "at least 1");
  expect(c.label_smoothing >= 0 && c.label_smoothing < 1, "train.label_smoothing", std::to_string(c.label_smoothing),
         "at least 0, below 1");
  expect(c.patience >= 0, "train.patience", std::to_string(c.patience), "not negative");
  expect(c.augment_share >= 0 && c.augment_share <= 1, "augment.share", std::to_string(c.augment_share), "0 to 1");
  expect(c.augment_keep > 0 && c.augment_keep <= 1, "augment.keep", std::to_string(c.augment_keep),
         "above 0, at most 1");
  expect(c.augment_mix_up >= 0 && c.augment_mix_up <= 1000, "augment.mix_up", std::to_string(c.augment_mix_up),
         "0 to 1000");
  const bool changes = c.augment_keep < 1 || c.augment_mix_up > 0;
  expect((c.augment_share > 0) == changes, "augment.share", std::to_string(c.augment_share),
         changes ? "above 0 together with augment.keep or augment.mix_up"
                 : "0 without augment.keep below 1 or augment.mix_up; train.oversampling repeats cells as they are");
  expect(c.least_ordered_genes >= 0 && c.least_ordered_genes <= 1, "prepare.least_ordered_genes",
         std::to_string(c.least_ordered_genes), "0 to 1");
  expect(c.min_class_cells >= 0, "select.min_class_cells", std::to_string(c.min_class_cells), "not negative");
  expect(c.min_gene_cells >= 0, "select.min_gene_cells", std::to_string(c.min_gene_cells), "not negative");
  expect(c.validation_fraction >= 0 && c.test_fraction >= 0 && c.validation_fraction + c.test_fraction < 1,
         "split.validation + split.test", std::to_string(c.validation_fraction + c.test_fraction), "below 1");
}

Config resolved(Config c, std::int64_t cells) {
  if (c.min_class_cells == 0) c.min_class_cells = std::clamp<std::int64_t>(cells / 400, 5, 50);
  if (c.widths.empty()) c.widths.assign(2, cells >= kPublishedCells ? kPublishedWidth : kSmallWidth);
  if (c.batch == 0) {
    c.batch = 32;
    while (c.batch < 128 && c.batch * 8 < cells) c.batch *= 2;
  }
  if (c.epochs == 0) {
    const std::int64_t training =
        static_cast<std::int64_t>((1 - c.validation_fraction - c.test_fraction) * static_cast<double>(cells));
    c.epochs =
        std::clamp(kPublishedSteps / std::max<std::int64_t>(1, training / c.batch), kPublishedEpochs, kMostEpochs);
  }
  if (c.learning_rate == 0)
    c.learning_rate = kRateTimesWidth / static_cast<double>(*std::max_element(c.widths.begin(), c.widths.end()));
  return c;
}

}  // namespace genexx::mlp

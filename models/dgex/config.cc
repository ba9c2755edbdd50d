// SPDX-License-Identifier: Apache-2.0
#include "models/dgex/config.h"

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx::dgex {
namespace {

template <class T>
void expect(bool holds, const char* key, const T& found, const char* wanted) {
  if (!holds) throw UsageError(fmt::format("configuration: {} is {}, expected {}", key, found, wanted));
}

}  // namespace

void check(const Config& c) {
  expect(c.layers >= 1 && c.layers <= 16, "network.layers", c.layers, "1 to 16");
  expect(c.hidden >= 1, "network.hidden", c.hidden, "at least 1");
  expect(c.dropout >= 0 && c.dropout < 1, "train.dropout", c.dropout, "0 or more and below 1");
  expect(c.batch >= 1, "train.batch", c.batch, "at least 1");
  expect(c.epochs >= 1, "train.epochs", c.epochs, "at least 1");
  expect(c.learning_rate > 0, "train.learning_rate", c.learning_rate, "a positive number");
  expect(c.later_rate_scale > 0, "train.later_rate_scale", c.later_rate_scale, "a positive number");
  expect(c.momentum >= 0 && c.momentum < 1, "train.momentum", c.momentum, "0 or more and below 1");
  expect(c.lr_decay > 0 && c.lr_decay <= 1, "train.lr_decay", c.lr_decay, "above 0, at most 1");
  expect(c.lr_floor >= 0, "train.lr_floor", c.lr_floor, "0 or more");
  expect(c.monitor_profiles >= 1, "train.monitor_profiles", c.monitor_profiles, "at least 1");
  expect(c.patience >= 0, "train.patience", c.patience, "0 or more");
  expect(c.validation_fraction > 0 && c.test_fraction >= 0 && c.validation_fraction + c.test_fraction < 1,
         "split.validation + split.test", c.validation_fraction + c.test_fraction, "above 0 and below 1");
  expect(c.penalty >= 0, "baseline.penalty", c.penalty, "0 or more");
  expect(c.neighbours >= 1, "baseline.neighbours", c.neighbours, "at least 1");
}

}  // namespace genexx::dgex

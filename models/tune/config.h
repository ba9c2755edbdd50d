// SPDX-License-Identifier: Apache-2.0
// Every setting of a random search, with its default.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "models/tune/search_space.h"

namespace genexx::tune {

struct Config {
  std::int64_t trials = 20;
  std::int64_t epochs = 0;
  std::string score = "accuracy";
  std::int64_t halving = 0;
  std::int64_t together = 0;
  SearchSpace space;

  template <class V>
  void visit(V& v) {
    v.field("tune.trials", trials, "how many sets of hyperparameters are tried");
    v.field("tune.epochs", epochs, "most epochs of a trial; 0: half of what the model itself is trained for");
    v.choice("tune.score", score, {"accuracy", "macro_f1", "loss"}, "on the validation cells, what trials compete by");
    v.field("tune.halving", halving, "successive halving: each rung keeps one trial in so many; 0: off");
    v.field("tune.together", together, "most trials trained at the same time; 0: as many as the memory holds");
    range(v, "tune.learning_rate", space.learning_rate, "of the optimizer; low, high 0: by the number of cells");
    range(v, "tune.weight_decay", space.weight_decay, "of all parameters");
    range(v, "tune.layers", space.layers, "hidden layers");
    range(v, "tune.units", space.units, "units of every hidden layer; values []: by the number of cells");
    range(v, "tune.batch", space.batch, "rows of a step; values []: by the number of cells");
    range(v, "tune.dropout", space.dropout, "rate after every hidden layer");
  }

 private:
  template <class V, class T>
  static void range(V& v, const std::string& key, Range<T>& r, const char* help) {
    v.choice((key + ".distribution").c_str(), r.distribution, {"uniform", "log_uniform", "choice"}, help);
    v.field((key + ".low").c_str(), r.low, "least value, of uniform and log_uniform");
    v.field((key + ".high").c_str(), r.high, "greatest value, of uniform and log_uniform");
    v.field((key + ".values").c_str(), r.values, "of choice");
  }
};

// What was left open, by the number of labelled cells: rates, units and batches around those the fly classifier's
// defaults take, and half the `epochs` that the model is trained for, as in the report (15 of 30).
Config resolved(Config config, std::int64_t cells, std::int64_t epochs);

// Throws UsageError naming the key of a resolved configuration that is out of range.
void check(const Config& config);

// Throws UsageError where `given`, the settings as they were written, sets a part of a range that the range's
// distribution does not look at.
void check_given(const nlohmann::json& given, const Config& config);

}  // namespace genexx::tune

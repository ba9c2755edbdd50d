// SPDX-License-Identifier: Apache-2.0
// Every setting of a D-GEX run. The defaults are those of the published scripts (Chen et al., Bioinformatics 2016),
// with one hidden layer of 3000 units and a dropout of 10 %.
#pragma once

#include <cstdint>
#include <string>

namespace genexx::dgex {

struct Config {
  std::int64_t layers = 1, hidden = 3000;
  double dropout = 0.1;
  std::int64_t batch = 200, epochs = 200;
  double learning_rate = 3e-4, later_rate_scale = 3, momentum = 0.5;
  double lr_decay = 0.9, lr_floor = 1e-5;
  std::string moments = "fp32";
  std::int64_t monitor_profiles = 5000, patience = 0;
  std::string targets = "all";
  std::string standardise = "yes";
  double validation_fraction = 0.1, test_fraction = 0.2;
  std::string baseline = "ridge";
  double penalty = 50;
  std::int64_t neighbours = 5;

  template <class V>
  void visit(V& v) {
    v.field("network.layers", layers, "hidden layers, 1 to 3 as published");
    v.field("network.hidden", hidden, "units of a hidden layer");
    v.field("train.dropout", dropout, "of the inputs of every layer but the first");
    v.field("train.batch", batch, "profiles of a step");
    v.field("train.epochs", epochs, "over the training profiles");
    v.field("train.learning_rate", learning_rate, "of stochastic gradient descent");
    v.field("train.later_rate_scale", later_rate_scale, "of the weights of every layer but the first hidden one");
    v.field("train.momentum", momentum, "of stochastic gradient descent");
    v.choice("train.moments", moments, {"fp32", "bf16"},
             "how the optimizer's moments are stored; bf16: rounded at random");
    v.field("train.lr_decay", lr_decay, "factor of the rate after an epoch whose training error rose");
    v.field("train.lr_floor", lr_floor, "the rate does not fall below it");
    v.field("train.monitor_profiles", monitor_profiles, "training profiles whose error is watched");
    v.field("train.patience", patience, "stop after so many epochs without a better validation; 0: never");
    v.choice("train.targets", targets, {"all", "halves", "first", "second"},
             "all targets at once, the published halves one after the other, or one of them");
    v.choice("data.standardise", standardise, {"yes", "no"}, "one matrix: each gene by mean and sd of training");
    v.field("split.validation", validation_fraction, "one matrix: part of the profiles for validation");
    v.field("split.test", test_fraction, "one matrix: part of the profiles for testing");
    v.choice("baseline.method", baseline, {"none", "linear", "ridge", "lasso", "knn"}, "what the report compares with");
    v.field("baseline.penalty", penalty, "of ridge (sum of squares) and lasso (scikit-learn's alpha)");
    v.field("baseline.neighbours", neighbours, "of KNN-GE");
  }
};

// Throws UsageError naming the field that is out of range.
void check(const Config& config);

}  // namespace genexx::dgex

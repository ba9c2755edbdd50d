// SPDX-License-Identifier: Apache-2.0
// Which epochs' weights are put aside during training, and how long ago a replica was at its best.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace genexx {

// What an epoch is judged by; each is a cost, lower is better.
enum class Criterion {
  classification,  // minus (accuracy + macro F1) on the validation cells: both figures count alike
  loss,            // cross-entropy on the validation cells
  absolute_error,  // mean absolute error on the validation cells
  monitor,         // mean absolute error on a monitor's cells
  external         // what TrainerHooks::judge says
};

// What happens to an epoch that is as good as the best so far, or nearly.
enum class Tie {
  first,                 // the earlier epoch stays
  latest,                // the later one replaces it
  within_standard_error  // the later one replaces it, even where it is worse by up to one standard error
};

struct KeepRule {
  std::string name;
  Criterion criterion = Criterion::classification;
  std::int64_t monitor = 0;  // place in TrainingSet::monitors, of Criterion::monitor
  Tie tie = Tie::first;
  // Weights are kept only where the cost is better than this (or, with Tie::latest, as good).
  double initial_best = std::numeric_limits<double>::infinity();
};

// One rule applied to one replica.
class BestSoFar {
 public:
  explicit BestSoFar(const KeepRule& rule) : tie_(rule.tie), best_(rule.initial_best) {}

  // Takes the cost of the next epoch and its standard error (used by Tie::within_standard_error; after Breiman et al.,
  // "Classification and regression trees", 1984, section 3.4.3: a small validation set cannot tell epochs apart that
  // differ by less). Says whether the epoch's weights are to be kept. NaN is never kept.
  bool observe(double cost, double standard_error);

  // Epochs since the best one; all of them where there was none.
  std::int64_t since_best() const { return since_best_; }
  // Whether any epoch's weights were kept.
  bool met() const { return met_; }

  // The state as JSON, and back: what follows is the same as without the interruption. Throws nlohmann::json's
  // exceptions for a state that is none.
  nlohmann::json state() const;
  void restore(const nlohmann::json& state);

 private:
  Tie tie_;
  double best_;
  std::int64_t since_best_ = 0;
  bool met_ = false;
};

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/keep_rule.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace genexx {

bool BestSoFar::observe(double cost, double standard_error) {
  ++since_best_;
  if (cost < best_ || (tie_ == Tie::latest && cost == best_)) {
    best_ = cost;
    since_best_ = 0;
    met_ = true;
    return true;
  }
  return met_ && tie_ == Tie::within_standard_error && cost <= best_ + standard_error;
}

nlohmann::json BestSoFar::state() const {
  return {{"best", std::isfinite(best_) ? nlohmann::json(best_) : nlohmann::json()},
          {"since_best", since_best_},
          {"met", met_}};
}

void BestSoFar::restore(const nlohmann::json& state) {
  best_ = state.at("best").is_null() ? std::numeric_limits<double>::infinity() : state.at("best").get<double>();
  since_best_ = state.at("since_best").get<std::int64_t>();
  met_ = state.at("met").get<bool>();
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/early_stopping.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx {

EarlyStopping::EarlyStopping(const EarlyStoppingConfig& config, std::int64_t replicas)
    : config_(config), replicas_(static_cast<std::size_t>(replicas)) {
  if (config.patience < 0)
    throw UsageError("patience is " + std::to_string(config.patience) + ", expected 0 (never stop early) or more");
  if (!(config.least_improvement >= 0))
    throw UsageError("the least improvement is " + std::to_string(config.least_improvement) + ", expected 0 or more");
}

EarlyStopping::Verdict EarlyStopping::observe(std::int64_t replica, double value) {
  Replica& r = at(replica);
  const std::int64_t epoch = r.epochs++;
  const double gain = config_.objective == Objective::minimize ? r.best_value - value : value - r.best_value;
  const bool better = std::isfinite(value) && (!r.best_epoch || gain > config_.least_improvement);
  if (better && !r.stopped) {
    r.best_epoch = epoch;
    r.best_value = value;
    return Verdict::best;
  }
  const std::int64_t since = r.best_epoch ? epoch - *r.best_epoch : r.epochs;
  if (config_.patience > 0 && since >= config_.patience) r.stopped = true;
  return Verdict::not_best;
}

bool EarlyStopping::stopped(std::int64_t replica) const { return at(replica).stopped; }

bool EarlyStopping::all_stopped() const {
  return std::all_of(replicas_.begin(), replicas_.end(), [](const Replica& r) { return r.stopped; });
}

std::optional<std::int64_t> EarlyStopping::best_epoch(std::int64_t replica) const { return at(replica).best_epoch; }

std::optional<double> EarlyStopping::best_value(std::int64_t replica) const {
  if (!at(replica).best_epoch) return std::nullopt;
  return at(replica).best_value;
}

nlohmann::json EarlyStopping::state() const {
  nlohmann::json state = nlohmann::json::array();
  for (const Replica& r : replicas_) {
    nlohmann::json one = {
        {"epochs", r.epochs}, {"stopped", r.stopped}, {"best_epoch", nullptr}, {"best_value", nullptr}};
    if (r.best_epoch) {
      one["best_epoch"] = *r.best_epoch;
      one["best_value"] = r.best_value;
    }
    state.push_back(one);
  }
  return state;
}

void EarlyStopping::restore(const nlohmann::json& state) {
  if (!state.is_array() || state.size() != replicas_.size())
    throw InputError("the checkpoint's early stopping state is for " +
                     (state.is_array() ? std::to_string(state.size()) + " replicas" : "no replicas") + ", expected " +
                     std::to_string(replicas_.size()) + "; it belongs to another run, start again without --resume");
  std::vector<Replica> restored;
  try {
    for (const nlohmann::json& one : state) {
      Replica r;
      r.epochs = one.at("epochs").get<std::int64_t>();
      r.stopped = one.at("stopped").get<bool>();
      if (!one.at("best_epoch").is_null()) {
        r.best_epoch = one.at("best_epoch").get<std::int64_t>();
        r.best_value = one.at("best_value").get<double>();
      }
      restored.push_back(r);
    }
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("the checkpoint's early stopping state cannot be read: ") + e.what() +
                     "; start again without --resume");
  }
  replicas_ = std::move(restored);
}

EarlyStopping::Replica& EarlyStopping::at(std::int64_t replica) {
  assert(replica >= 0 && replica < static_cast<std::int64_t>(replicas_.size()));
  return replicas_[static_cast<std::size_t>(replica)];
}

const EarlyStopping::Replica& EarlyStopping::at(std::int64_t replica) const {
  assert(replica >= 0 && replica < static_cast<std::int64_t>(replicas_.size()));
  return replicas_[static_cast<std::size_t>(replica)];
}

}  // namespace genexx

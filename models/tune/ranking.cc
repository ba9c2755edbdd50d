// SPDX-License-Identifier: Apache-2.0
#include "models/tune/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace genexx::tune {
namespace {

// As a cost: lower is better, and what is not finite is worst.
double cost(const Judgement& j, const std::string& score) {
  const double x = score == "accuracy" ? -j.accuracy : score == "macro_f1" ? -j.macro_f1 : j.loss;
  return std::isfinite(x) ? x : std::numeric_limits<double>::infinity();
}

bool finite_losses(const EpochRecord& r) {
  return std::all_of(r.losses.begin(), r.losses.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace

bool better(const Judgement& a, const Judgement& b, const std::string& score) {
  const double x = cost(a, score), y = cost(b, score);
  return x < y || (x == y && cost(a, "loss") < cost(b, "loss"));
}

TrialResult result_of(const std::vector<EpochRecord>& history, const std::string& score) {
  TrialResult result;
  for (const EpochRecord& r : history) {
    result.epochs = r.epoch;
    if (!finite_losses(r)) {
      result.diverged = true;
    } else if (result.best_epoch == 0 || better(r.validation, result.best, score)) {
      result.best_epoch = r.epoch;
      result.best = r.validation;
    }
  }
  return result;
}

std::vector<std::size_t> ranked(const std::vector<TrialResult>& results, const std::string& score) {
  std::vector<std::size_t> order(results.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (results[a].diverged != results[b].diverged) return results[b].diverged;
    return better(results[a].best, results[b].best, score);
  });
  return order;
}

std::vector<std::int64_t> rungs(std::int64_t factor, std::int64_t trials, std::int64_t epochs) {
  std::vector<std::int64_t> all = {epochs};
  if (factor < 2) return all;
  std::int64_t divisor = 1;
  while (trials / divisor >= factor && epochs / divisor >= factor) {
    divisor *= factor;
    all.insert(all.begin(), epochs / divisor);
  }
  return all;
}

std::vector<std::size_t> survivors(const std::vector<TrialResult>& results, const std::string& score,
                                   std::int64_t factor) {
  const std::vector<std::size_t> order = ranked(results, score);
  const std::size_t count = std::max<std::size_t>(1, results.size() / static_cast<std::size_t>(factor));
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count && i < order.size(); ++i)
    if (!results[order[i]].diverged) kept.push_back(order[i]);
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace genexx::tune

// SPDX-License-Identifier: Apache-2.0
#include "models/ranking_metrics.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/error.h"

namespace genexx {
namespace {

struct Scored {
  float score;
  bool positive;
};

std::vector<Scored> highest_first(const RankingInput& input) {
  std::vector<Scored> cells;
  cells.reserve(input.classes.size());
  for (std::size_t i = 0; i < input.classes.size(); ++i) {
    if (input.classes[i] < 0) continue;
    const float score =
        input.scores[i * static_cast<std::size_t>(input.stride) + static_cast<std::size_t>(input.column)];
    if (std::isnan(score))
      throw RuntimeError("the probability of class " + std::to_string(input.positive) + " for cell " +
                         std::to_string(i) +
                         " is NaN, expected a number; training has probably diverged, try a lower learning rate");
    cells.push_back(Scored{score, input.classes[i] == input.positive});
  }
  std::sort(cells.begin(), cells.end(), [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return cells;
}

}  // namespace

Ranking rank_scores(const RankingInput& input) {
  const std::vector<Scored> cells = highest_first(input);
  const double positives =
      static_cast<double>(std::count_if(cells.begin(), cells.end(), [](const Scored& c) { return c.positive; }));
  const double negatives = static_cast<double>(cells.size()) - positives;
  double hits = 0, misses = 0, ordered_pairs = 0, precision_sum = 0;
  for (std::size_t begin = 0, end = 0; begin < cells.size(); begin = end) {
    double tied_hits = 0, tied_misses = 0;
    for (; end < cells.size() && cells[end].score == cells[begin].score; ++end)
      cells[end].positive ? ++tied_hits : ++tied_misses;
    ordered_pairs += tied_hits * (negatives - misses - tied_misses / 2);
    hits += tied_hits;
    misses += tied_misses;
    precision_sum += tied_hits * (hits / (hits + misses));
  }
  Ranking ranking;
  if (positives > 0 && negatives > 0) ranking.auroc = ordered_pairs / (positives * negatives);
  if (positives > 0) ranking.average_precision = precision_sum / positives;
  return ranking;
}

}  // namespace genexx

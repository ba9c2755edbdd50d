// SPDX-License-Identifier: Apache-2.0
// How well scores rank the cells of one class before all others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace genexx {

struct Ranking {
  std::optional<double> auroc;              // undefined without a positive or without a negative
  std::optional<double> average_precision;  // undefined without a positive
};

struct RankingInput {
  std::span<const float> scores;  // [cells * stride], the score of cell i at scores[i * stride + column]
  std::int64_t stride = 1, column = 0;
  std::span<const std::int32_t> classes;  // [cells]; cells below zero are left out
  std::int32_t positive = 1;              // the class that should score high
};

// auroc: the share of (positive, negative) pairs in order, ties one half; scikit-learn's roc_auc_score of two classes.
// average_precision: sum over distinct scores, from the highest, of (R_n - R_{n-1}) P_n; its average_precision_score.
// O(n log n). Throws RuntimeError naming the cell for a NaN score.
Ranking rank_scores(const RankingInput& input);

}  // namespace genexx

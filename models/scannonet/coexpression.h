// SPDX-License-Identifier: Apache-2.0
// Which genes are correlated with which markers more than chance allows.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/tensor.h"
#include "kernels/expression_data.h"

namespace genexx::scannonet {

struct CoexpressionInput {
  ExpressionData data;
  ConstTensor rows;        // [1, n] i64
  ConstTensor row_factor;  // [1, N] f32
  ValueTransform transform = ValueTransform::log1p;
  std::int64_t cells = 0;  // n, observations behind a correlation
  double max_p_value = 0.05;
};

// Genes on one side, by column, with their mean and 1 / sqrt(sum of squared distances from it), 0 for a constant gene.
struct GeneSide {
  std::vector<std::int64_t> columns;
  std::vector<double> mean, rnorm;
};

// p of every pair that is significant.
class PValues {
 public:
  PValues(std::vector<double> p, std::size_t width) : p_(std::move(p)), width_(width) {}
  bool significant(std::size_t a, std::size_t b) const { return p_[a * width_ + b] >= 0; }
  double at(std::size_t a, std::size_t b) const { return p_[a * width_ + b]; }

 private:
  std::vector<double> p_;  // -1 where not significant
  std::size_t width_;
};

// Pearson correlation of each gene of `a` with each of `b` in double, p below max_p_value kept. O(n |a| |b|).
PValues significant_pairs(Context& ctx, const CoexpressionInput& input, const GeneSide& a, const GeneSide& b);

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
#include "models/augmentation.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/error.h"
#include "models/random_stream.h"

namespace genexx {
namespace {

constexpr std::uint32_t kAugmentationStream = 0x6175676du;

// Successes of `count` trials, each drawn: exact, and a cell has few counts.
std::int64_t binomial(RandomStream& random, std::int64_t count, double keep) {
  const auto below = static_cast<std::uint64_t>(std::llround(keep * 0x1p32));
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < count; ++i) kept += random.word() < below ? 1 : 0;
  return kept;
}

// The logarithm of a Gamma(shape, 1) number. Marsaglia and Tsang, "A simple method for generating gamma variables", ACM
// TOMS 26(3), 2000; below 1 by Gamma(shape + 1) U^(1/shape), as there in section 6.
double log_gamma_number(RandomStream& random, double shape) {
  if (shape < 1) return log_gamma_number(random, shape + 1) + std::log(random.uniform()) / shape;
  const double d = shape - 1.0 / 3.0, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

// Of Beta(alpha, alpha): G1 / (G1 + G2) of two Gamma(alpha) numbers.
double beta_number(RandomStream& random, double alpha) {
  const double first = log_gamma_number(random, alpha), second = log_gamma_number(random, alpha);
  return 1 / (1 + std::exp(second - first));
}

// Row `cell` with every count thinned, or as it is, at the end of `out`.
void append_row(const CsrMatrix& matrix, std::int64_t cell, double keep, RandomStream& random, CsrMatrix& out) {
  const auto c = static_cast<std::size_t>(cell);
  for (auto i = static_cast<std::size_t>(matrix.row_begin[c]); i < static_cast<std::size_t>(matrix.row_begin[c + 1]);
       ++i) {
    float value = matrix.value[i];
    if (keep < 1) {
      if (value < 0 || value != std::floor(value))
        throw RefusedError("augment.keep thins counts, but the value of cell " + std::to_string(cell + 1) +
                           " in column " + std::to_string(matrix.column[i] + 1) + " is " + std::to_string(value) +
                           ", no whole number; leave augment.keep at 1, or choose the counts with --matrix");
      value = static_cast<float>(binomial(random, static_cast<std::int64_t>(value), keep));
    }
    if (value == 0) continue;
    out.column.push_back(matrix.column[i]);
    out.value.push_back(value);
  }
  out.row_begin.push_back(static_cast<std::int64_t>(out.column.size()));
  ++out.rows;
}

// The training cells of each class.
std::vector<std::vector<std::int64_t>> by_class(const std::vector<std::int64_t>& cells,
                                                const std::vector<std::int32_t>& labels) {
  std::vector<std::vector<std::int64_t>> classes;
  for (const std::int64_t cell : cells) {
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(cell)]);
    if (classes.size() <= label) classes.resize(label + 1);
    classes[label].push_back(cell);
  }
  return classes;
}

}  // namespace

SyntheticCells synthesise(const CsrMatrix& matrix, const std::vector<std::int32_t>& labels,
                          const std::vector<CellSplit>& splits, const AugmentationPlan& plan) {
  SyntheticCells out;
  out.parents.cols = matrix.cols;
  out.begin.push_back(0);
  for (std::size_t k = 0; k < splits.size(); ++k) {
    const std::vector<std::vector<std::int64_t>> classes = by_class(splits[k].train, labels);
    std::size_t largest = 0;
    for (const auto& cells : classes) largest = std::max(largest, cells.size());
    const auto target = static_cast<std::int64_t>(std::ceil(plan.share * static_cast<double>(largest)));
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const auto own = static_cast<std::int64_t>(classes[c].size());
      for (std::int64_t i = 0; own > 0 && i < target - own; ++i) {
        const std::int64_t place = static_cast<std::int64_t>(k << 16 | c) << 32 | i;
        RandomStream random(plan.seed, kAugmentationStream, place);
        const std::int64_t first = i % own;
        append_row(matrix, classes[c][static_cast<std::size_t>(first)], plan.keep, random, out.parents);
        out.labels.push_back(static_cast<std::int32_t>(c));
        if (plan.mix_up <= 0) continue;
        const std::int64_t step = own > 1 ? 1 + static_cast<std::int64_t>(random.word() % (own - 1)) : 0;
        append_row(matrix, classes[c][static_cast<std::size_t>((first + step) % own)], plan.keep, random, out.parents);
        out.weight.push_back(beta_number(random, plan.mix_up));
      }
    }
    out.begin.push_back(out.count());
  }
  return out;
}

CsrMatrix mixed(const CsrMatrix& parents, const std::vector<double>& weight) {
  CsrMatrix out;
  out.cols = parents.cols;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const auto first = static_cast<float>(weight[i]), second = static_cast<float>(1 - weight[i]);
    auto a = static_cast<std::size_t>(parents.row_begin[2 * i]),
         b = static_cast<std::size_t>(parents.row_begin[2 * i + 1]);
    const std::size_t a_end = b, b_end = static_cast<std::size_t>(parents.row_begin[2 * i + 2]);
    while (a < a_end || b < b_end) {
      const bool from_a = a < a_end && (b == b_end || parents.column[a] <= parents.column[b]);
      const bool from_b = b < b_end && (a == a_end || parents.column[b] <= parents.column[a]);
      out.column.push_back(from_a ? parents.column[a] : parents.column[b]);
      out.value.push_back((from_a ? first * parents.value[a] : 0.0f) + (from_b ? second * parents.value[b] : 0.0f));
      a += from_a ? 1 : 0;
      b += from_b ? 1 : 0;
    }
    out.row_begin.push_back(static_cast<std::int64_t>(out.column.size()));
    ++out.rows;
  }
  return out;
}

}  // namespace genexx

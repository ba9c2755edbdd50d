// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/homology.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/random_stream.h"

namespace genexx::transbrain {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint32_t kPermutationStream = 0x686f6d6fu;  // element: permutation

// Rows with mean 0 and length 1; NaN throughout for a constant one.
std::vector<double> standardised_rows(const RegionTable& table) {
  std::vector<double> out = table.values;
  const auto width = static_cast<std::size_t>(table.width);
  for (std::size_t row = 0; row < table.regions.size(); ++row) {
    double* const x = out.data() + row * width;
    const auto [least, most] = std::minmax_element(x, x + width);
    const bool constant = *least == *most;
    const double mean = std::accumulate(x, x + width, 0.0) / static_cast<double>(width);
    double squares = 0;
    for (std::size_t j = 0; j < width; ++j) squares += (x[j] - mean) * (x[j] - mean);
    const double factor = constant || !(squares > 0) ? kUndefined : 1.0 / std::sqrt(squares);
    for (std::size_t j = 0; j < width; ++j) x[j] = (x[j] - mean) * factor;
  }
  return out;
}

// Where each of `names` is in `given`.
std::vector<std::size_t> order_of(const std::vector<std::string>& names, const std::vector<std::string>& given) {
  std::unordered_map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < given.size(); ++i) place.emplace(given[i], i);
  std::vector<std::size_t> order;
  for (const std::string& name : names) {
    const auto found = place.find(name);
    if (found == place.end() || given.size() != names.size())
      throw RefusedError(fmt::format("the matrices to average have different regions: one has {}, another {}{}",
                                     names.size(), given.size(),
                                     found == place.end() ? " and lacks '" + name + "'" : std::string()));
    order.push_back(found->second);
  }
  return order;
}

std::vector<double> column_of(const Similarity& s, std::int64_t column) {
  std::vector<double> values;
  for (std::size_t i = 0; i < s.rows.size(); ++i) values.push_back(s.at(static_cast<std::int64_t>(i), column));
  return values;
}

// Fills `names` with a random order of 0, 1, ... (Fisher and Yates).
void permute(std::vector<std::int64_t>& names, RandomStream& random) {
  std::iota(names.begin(), names.end(), 0);
  for (std::size_t i = names.size(); i > 1; --i)
    std::swap(names[i - 1], names[static_cast<std::size_t>(random.uniform() * static_cast<double>(i))]);
}

void test_mean_rank(const std::vector<double>& ranks, std::size_t columns, const std::vector<PairIndex>& pairs,
                    std::int64_t human_regions, const PermutationTest& test, Ranking& out) {
  std::vector<std::int64_t> name(static_cast<std::size_t>(human_regions));
  std::int64_t as_low = 0;
  double sum = 0, squares = 0;
  for (std::int64_t p = 0; p < test.permutations; ++p) {
    RandomStream random(test.seed, kPermutationStream, p);
    permute(name, random);
    double total = 0;
    for (const PairIndex& pair : pairs)
      total += ranks[static_cast<std::size_t>(name[static_cast<std::size_t>(pair.human)]) * columns +
                     static_cast<std::size_t>(pair.mouse)];
    const double mean = total / static_cast<double>(pairs.size());
    // Sums of the same ranks in another order may differ in the last bits.
    as_low += mean <= out.mean_rank * (1 + 1e-12) ? 1 : 0;
    sum += mean - out.chance;
    squares += (mean - out.chance) * (mean - out.chance);
  }
  if (test.permutations == 0) return;
  const auto n = static_cast<double>(test.permutations);
  out.permutations = test.permutations;
  out.p_value = (1.0 + static_cast<double>(as_low)) / (1.0 + n);
  out.null_mean = out.chance + sum / n;
  out.null_sd = std::sqrt(std::max(0.0, squares / n - (sum / n) * (sum / n)));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

}  // namespace

void check(const RegionTable& table, const std::string& what) {
  if (table.regions.empty() || table.width < 1)
    throw RefusedError(fmt::format("{} has {} regions and {} columns, expected at least one of each", what,
                                   table.regions.size(), table.width));
  if (table.values.size() != table.regions.size() * static_cast<std::size_t>(table.width))
    throw ShapeError(fmt::format("{}: values has {} numbers, expected [{}, {}]", what, table.values.size(),
                                 table.regions.size(), table.width),
                     CodeLocation::here());
  std::set<std::string> seen;
  for (std::size_t i = 0; i < table.regions.size(); ++i) {
    if (!seen.insert(table.regions[i]).second)
      throw RefusedError(fmt::format("{} has the region '{}' twice; average its rows first (genexx embed --group-by)",
                                     what, table.regions[i]));
    for (std::int64_t j = 0; j < table.width; ++j) {
      const double x = table.values[i * static_cast<std::size_t>(table.width) + static_cast<std::size_t>(j)];
      if (!std::isfinite(x))
        throw RefusedError(fmt::format("{}: region '{}', column {} (counted from 1) is {}, expected a finite number",
                                       what, table.regions[i], j + 1, x));
    }
  }
}

Similarity correlate(const RegionTable& a, const RegionTable& b) {
  if (a.width != b.width)
    throw ShapeError(fmt::format("b has {} columns, expected those of a, {}", b.width, a.width), CodeLocation::here());
  const std::vector<double> x = standardised_rows(a), y = standardised_rows(b);
  const auto width = static_cast<std::size_t>(a.width);
  Similarity out = {a.regions, b.regions, std::vector<double>(a.regions.size() * b.regions.size())};
  for (std::size_t i = 0; i < a.regions.size(); ++i)
    for (std::size_t j = 0; j < b.regions.size(); ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < width; ++k) sum += x[i * width + k] * y[j * width + k];
      out.r[i * b.regions.size() + j] = std::isnan(sum) ? kUndefined : std::clamp(sum, -1.0, 1.0);
    }
  return out;
}

void SimilarityMean::add(const Similarity& one) {
  if (count_ == 0) {
    sum_ = {one.rows, one.columns, std::vector<double>(one.r.size(), 0.0)};
    defined_.assign(one.r.size(), 0);
  }
  const std::vector<std::size_t> row = order_of(sum_.rows, one.rows), column = order_of(sum_.columns, one.columns);
  for (std::size_t i = 0; i < row.size(); ++i)
    for (std::size_t j = 0; j < column.size(); ++j) {
      const double r = one.r[row[i] * column.size() + column[j]];
      if (std::isnan(r)) {
        ++undefined_;
        continue;
      }
      sum_.r[i * column.size() + j] += r;
      ++defined_[i * column.size() + j];
    }
  ++count_;
}

Similarity SimilarityMean::mean() const {
  Similarity out = sum_;
  for (std::size_t i = 0; i < out.r.size(); ++i)
    out.r[i] = defined_[i] > 0 ? out.r[i] / static_cast<double>(defined_[i]) : kUndefined;
  return out;
}

double descending_rank(std::span<const double> values, std::int64_t index) {
  const double own = values[static_cast<std::size_t>(index)];
  std::int64_t before = 0, equal = 0;  // equal: with its own
  for (const double x : values) {
    if (std::isnan(own)) {
      before += std::isnan(x) ? 0 : 1;
      equal += std::isnan(x) ? 1 : 0;
    } else {
      before += x > own ? 1 : 0;
      equal += x == own ? 1 : 0;
    }
  }
  return static_cast<double>(before) + 0.5 * static_cast<double>(equal + 1);
}

std::vector<double> rank_matrix(const Similarity& s) {
  std::vector<double> ranks(s.r.size());
  for (std::size_t j = 0; j < s.columns.size(); ++j) {
    const std::vector<double> column = column_of(s, static_cast<std::int64_t>(j));
    for (std::size_t i = 0; i < s.rows.size(); ++i)
      ranks[i * s.columns.size() + j] = descending_rank(column, static_cast<std::int64_t>(i));
  }
  return ranks;
}

Ranking rank_pairs(const Similarity& s, const ResolvedPairs& pairs, const PermutationTest& test) {
  if (test.permutations < 0) throw UsageError(fmt::format("permutations is {}, expected 0 or more", test.permutations));
  const std::vector<double> ranks = rank_matrix(s);
  Ranking out;
  out.chance = 0.5 * static_cast<double>(s.rows.size() + 1);
  std::vector<double> of_pairs;
  for (std::size_t i = 0; i < pairs.pairs.size(); ++i) {
    const PairIndex at = pairs.index[i];
    const double rank =
        ranks[static_cast<std::size_t>(at.human) * s.columns.size() + static_cast<std::size_t>(at.mouse)];
    out.pairs.push_back({pairs.pairs[i], s.at(at.human, at.mouse), rank});
    of_pairs.push_back(rank);
    out.top1 += rank <= 1 ? 1 : 0;
    out.top5 += rank <= 5 ? 1 : 0;
    out.top10 += rank <= 10 ? 1 : 0;
  }
  if (of_pairs.empty()) return out;
  out.mean_rank = std::accumulate(of_pairs.begin(), of_pairs.end(), 0.0) / static_cast<double>(of_pairs.size());
  out.median_rank = median(of_pairs);
  test_mean_rank(ranks, s.columns.size(), pairs.index, static_cast<std::int64_t>(s.rows.size()), test, out);
  return out;
}

}  // namespace genexx::transbrain

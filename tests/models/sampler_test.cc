// SPDX-License-Identifier: Apache-2.0
#include "models/sampler.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/sampling.h"

using namespace genexx;

namespace {

// The probability of each element that the table's columns add up to.
std::vector<double> table_probabilities(const AliasTable& table) {
  std::vector<double> p(table.probability.size());
  const double column = 1.0 / static_cast<double>(p.size());
  for (std::size_t c = 0; c < p.size(); ++c) {
    p[c] += column * static_cast<double>(table.probability[c]);
    p[static_cast<std::size_t>(table.alias[c])] += column * (1 - static_cast<double>(table.probability[c]));
  }
  return p;
}

}  // namespace

TEST_CASE("sampler: the alias table adds up to the weights") {
  std::vector<double> weights;
  double sum = 0;
  for (int i = 0; i < 257; ++i) {
    weights.push_back(i % 5 == 0 ? 0 : 1.0 / (1 + i % 17));
    sum += weights.back();
  }

  const std::vector<double> p = table_probabilities(alias_table(weights));

  for (std::size_t i = 0; i < p.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(p[i] - weights[i] / sum) < 257 * 0x1p-24 / 257);
  }
}

TEST_CASE("sampler: an element of weight zero is never drawn") {
  const AliasTable table = alias_table(std::vector<double>{0, 3, 0, 1e-3, 0});
  int other = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t got = weighted_index(1, 0, i, 5, table.probability.data(), table.alias.data());
    other += got != 1 && got != 3;
  }

  CHECK(other == 0);
}

TEST_CASE("sampler: weighted draws fit the weights by chi-square") {
  const std::vector<double> weights = {5, 1, 1, 0.25, 2, 8, 0.75, 3, 1, 4};
  const AliasTable table = alias_table(weights);
  const int draws = 260000;  // 10,000 for each unit of the sum 26
  std::vector<double> counts(weights.size());
  for (int i = 0; i < draws; ++i)
    ++counts[static_cast<std::size_t>(
        weighted_index(77, i / 1000, i % 1000, 10, table.probability.data(), table.alias.data()))];

  double chi = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    chi += (counts[i] - 1e4 * weights[i]) * (counts[i] - 1e4 * weights[i]) / (1e4 * weights[i]);

  CHECK(chi < 27.88);  // the 0.999 quantile of chi-square with 9 degrees of freedom
  CHECK(chi > 1.15);   // the 0.001 quantile: draws that fit too well are not random
}

TEST_CASE("sampler: one element, equal weights") {
  const AliasTable one = alias_table(std::vector<double>{0.3});
  const AliasTable equal = alias_table(std::vector<double>(7, 0.1));

  CHECK(weighted_index(1, 2, 3, 1, one.probability.data(), one.alias.data()) == 0);
  for (const double p : table_probabilities(equal)) CHECK(std::fabs(p - 1.0 / 7) < 1e-7);
}

TEST_CASE("sampler: names the weight that is wrong") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(alias_table(std::vector<double>{1, -2}), doctest::Contains("sampling weight 1 is -2"),
                       RefusedError);
  CHECK_THROWS_WITH_AS(alias_table(std::vector<double>{nan}), doctest::Contains("sampling weight 0 is"), RefusedError);
  CHECK_THROWS_WITH_AS(alias_table(std::vector<double>{0, 0}), doctest::Contains("sum to 0"), RefusedError);
  CHECK_THROWS_WITH_AS(alias_table({}), doctest::Contains("over 0 elements"), RefusedError);
}

TEST_CASE("sampler: oversampling gives every class the same share up to a ratio of 100") {
  std::vector<std::int32_t> classes(100, 0);
  classes.push_back(2);

  const std::vector<double> weights = oversampling_weights(classes);

  CHECK(weights[0] == 0.01);
  CHECK(weights[100] == 1.0);
}

TEST_CASE("sampler: over a ratio of 100 oversampling weighs by the square root") {
  std::vector<std::int32_t> classes(404, 1);
  classes.insert(classes.end(), {0, 0, 0, 0});
  classes.push_back(1);  // 405 to 4

  const std::vector<double> weights = oversampling_weights(classes);

  CHECK(weights[0] == doctest::Approx(1 / std::sqrt(405.0)).epsilon(1e-15));
  CHECK(weights[404] == 0.5);
}

TEST_CASE("sampler: a cell without a class is refused") {
  CHECK_THROWS_WITH_AS(oversampling_weights(std::vector<std::int32_t>{0, -1}),
                       doctest::Contains("training cell 1 has no class"), RefusedError);
}

TEST_CASE("sampler: steps and rows of an epoch") {
  CHECK(steps_per_epoch(1000, 256) == 4);
  CHECK(steps_per_epoch(1024, 256) == 4);
  CHECK(steps_per_epoch(3, 256) == 1);
  CHECK(rows_of_step(0, 1000, 256) == 256);
  CHECK(rows_of_step(3, 1000, 256) == 232);
  CHECK(rows_of_step(7, 1000, 256) == 232);
  CHECK(rows_of_step(7, 1024, 256) == 256);
}

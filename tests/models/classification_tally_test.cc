// SPDX-License-Identifier: Apache-2.0
#include "models/classification_tally.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace genexx;

TEST_CASE("classification_tally: literals; a cell without a label is left out") {
  const double logits[4][3] = {{1, 0, 0}, {0, 3, 0}, {2, 0, 1}, {0, 0, 9}};
  const std::int32_t labels[4] = {0, 1, 2, -1};
  ClassificationTally tally(3);

  for (int i = 0; i < 4; ++i) tally.add(logits[i], labels[i]);

  const double first = std::log(std::exp(1.0) + 2) - 1, second = std::log(std::exp(3.0) + 2) - 3;
  const double third = std::log(std::exp(2.0) + 1 + std::exp(1.0)) - 1;
  CHECK(tally.mean_cross_entropy() == doctest::Approx((first + second + third) / 3));
  CHECK(tally.accuracy() == doctest::Approx(2.0 / 3));
  CHECK(tally.macro_f1() == doctest::Approx((2.0 / 3 + 1 + 0) / 3));
}

TEST_CASE("classification_tally: nothing added is not a number") {
  const ClassificationTally tally(2);

  CHECK(std::isnan(tally.mean_cross_entropy()));
  CHECK(std::isnan(tally.accuracy()));
  CHECK(std::isnan(tally.macro_f1()));
}

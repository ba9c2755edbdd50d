// SPDX-License-Identifier: Apache-2.0
#include "models/quartiles.h"

#include <doctest/doctest.h>

using genexx::quartiles;
using Values = std::vector<double>;

TEST_CASE("quartiles: literals of numpy.percentile(x, [0, 25, 50, 75, 100])") {
  CHECK(quartiles({}).empty());
  CHECK(quartiles({0.5}) == Values{0.5, 0.5, 0.5, 0.5, 0.5});
  CHECK(quartiles({1, 0}) == Values{0, 0.25, 0.5, 0.75, 1});
  CHECK(quartiles({4, 1, 3, 2}) == Values{1, 1.75, 2.5, 3.25, 4});
  CHECK(quartiles({8, 0, 1, 16, 2}) == Values{0, 1, 2, 8, 16});
}

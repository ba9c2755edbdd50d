// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/markers.h"

#include <cmath>

#include <doctest/doctest.h>

using namespace genexx::scannonet;

TEST_CASE("markers: compares with the mean of the other types' means") {
  // Types by genes. Gene 0: 4 against (1 + 0) / 2; gene 1: never twice the others; gene 2: absent elsewhere.
  const std::vector<double> means = {4, 2, 0, 1, 1.5, 0, 0, 2, 3};

  const std::vector<Marker> m = find_markers(means, 3, {});

  REQUIRE(m.size() == 2);
  CHECK(m[0].type == 0);
  CHECK(m[0].gene == 0);
  CHECK(std::fabs(m[0].score - std::log2(4.000001 / 0.500001)) < 1e-12);
  CHECK(m[1].type == 2);
  CHECK(m[1].gene == 2);
  CHECK(std::fabs(m[1].score - std::log2(3.000001 / 1e-6)) < 1e-12);
}

TEST_CASE("markers: largest first, ties by gene, no more than asked for") {
  const std::vector<double> means = {4, 8, 4, 2.1, 1, 1, 1, 1};

  const std::vector<Marker> m = find_markers(means, 2, {.most = 3});

  REQUIRE(m.size() == 3);
  CHECK(m[0].gene == 1);
  CHECK(m[1].gene == 0);
  CHECK(m[2].gene == 2);
}

TEST_CASE("markers: the threshold itself is not enough") {
  const std::vector<double> means = {3, 5, 1, 1};

  const std::vector<Marker> m = find_markers(means, 2, {.score = MarkerScore::difference, .above = 2});

  REQUIRE(m.size() == 1);
  CHECK(m[0].gene == 1);
  CHECK(m[0].score == 4);
}

TEST_CASE("markers: a gene may mark two types, and one type has nothing to compare with") {
  CHECK(find_markers(std::vector<double>{9, 9, 0, 0}, 4, {}).size() == 2);
  CHECK(find_markers(std::vector<double>{9, 1}, 1, {}).empty());
}

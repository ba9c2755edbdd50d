// SPDX-License-Identifier: Apache-2.0
#include "models/folds.h"

#include <algorithm>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

namespace {

using Codes = std::vector<std::int32_t>;
using Rows = std::vector<std::int64_t>;

Codes interleaved(std::int32_t cells, std::int32_t classes) {
  Codes codes;
  for (std::int32_t i = 0; i < cells; ++i) codes.push_back(i % classes);
  return codes;
}

std::int64_t count_of(const Rows& part, const Codes& codes, std::int32_t code) {
  return std::count_if(part.begin(), part.end(),
                       [&](std::int64_t i) { return codes[static_cast<std::size_t>(i)] == code; });
}

}  // namespace

TEST_CASE("folds: every labelled cell tests once and trains otherwise") {
  Codes codes = interleaved(103, 4);
  codes[50] = -1;

  const std::vector<CellSplit> folds = make_folds({.classes = codes, .folds = 5, .seed = 1});

  REQUIRE(folds.size() == 5);
  std::vector<int> tested(codes.size());
  for (const CellSplit& fold : folds) {
    for (const std::int64_t i : fold.test) ++tested[static_cast<std::size_t>(i)];
    CHECK(fold.validation.empty());
    CHECK(fold.train.size() + fold.test.size() == 102);
    Rows both;
    std::set_intersection(fold.train.begin(), fold.train.end(), fold.test.begin(), fold.test.end(),
                          std::back_inserter(both));
    CHECK(both.empty());
  }
  for (std::size_t i = 0; i < tested.size(); ++i) CHECK(tested[i] == (i == 50 ? 0 : 1));
}

TEST_CASE("folds: classes and totals differ by at most one cell between folds") {
  const Codes codes = interleaved(1003, 7);

  const std::vector<CellSplit> folds = make_folds({.classes = codes, .folds = 5, .seed = 2});

  for (const CellSplit& fold : folds) {
    CHECK((fold.test.size() == 200 || fold.test.size() == 201));
    for (std::int32_t c = 0; c < 7; ++c) {
      const std::int64_t n = count_of(fold.test, codes, c);
      CHECK((n == 28 || n == 29));
    }
  }
}

TEST_CASE("folds: a class with fewer cells than folds is spread one a fold") {
  Codes codes(50, 0);
  codes.insert(codes.end(), {1, 1, 1});

  const std::vector<CellSplit> folds = make_folds({.classes = codes, .folds = 5, .seed = 3});

  std::int64_t most = 0;
  for (const CellSplit& fold : folds) most = std::max(most, count_of(fold.test, codes, 1));
  CHECK(most == 1);
}

TEST_CASE("folds: validation is drawn from the other cells, differently in each fold") {
  const Codes codes = interleaved(200, 2);

  const std::vector<CellSplit> folds =
      make_folds({.classes = codes, .folds = 4, .validation_fraction = 0.1, .seed = 4});

  for (const CellSplit& fold : folds) {
    CHECK(fold.test.size() == 50);
    CHECK(fold.validation.size() == 15);
    CHECK(fold.train.size() == 135);
    std::set<std::int64_t> all(fold.train.begin(), fold.train.end());
    all.insert(fold.validation.begin(), fold.validation.end());
    all.insert(fold.test.begin(), fold.test.end());
    CHECK(all.size() == 200);
  }
  CHECK(folds[0].validation != folds[1].validation);
}

TEST_CASE("folds: the seed alone decides") {
  const Codes codes = interleaved(60, 3);

  CHECK(make_folds({.classes = codes, .seed = 5})[2].test == make_folds({.classes = codes, .seed = 5})[2].test);
  CHECK(make_folds({.classes = codes, .seed = 5})[2].test != make_folds({.classes = codes, .seed = 6})[2].test);
}

TEST_CASE("folds: donors never straddle folds, training and validation") {
  const Codes codes = interleaved(300, 3);
  Codes donors;
  for (std::int32_t i = 0; i < 300; ++i) donors.push_back((i * 7) % 12);

  const std::vector<CellSplit> folds =
      make_folds({.classes = codes, .groups = donors, .folds = 4, .validation_fraction = 0.2, .seed = 1});

  for (const CellSplit& fold : folds) {
    std::vector<std::set<std::int32_t>> owners(12);
    std::int32_t part = 0;
    for (const Rows* rows : {&fold.train, &fold.validation, &fold.test}) {
      CHECK(!rows->empty());
      for (const std::int64_t i : *rows)
        owners[static_cast<std::size_t>(donors[static_cast<std::size_t>(i)])].insert(part);
      ++part;
    }
    for (const std::set<std::int32_t>& parts : owners) CHECK(parts.size() == 1);
    CHECK(fold.test.size() == 75);
  }
}

TEST_CASE("folds: too few cells, groups or folds are refused by number") {
  const Codes codes = {0, 1, 0, 1};

  CHECK_THROWS_WITH_AS(make_folds({.classes = codes, .folds = 1}), doctest::Contains("folds is 1"), UsageError);
  CHECK_THROWS_WITH_AS(make_folds({.classes = codes, .folds = 5}),
                       doctest::Contains("4 labelled cells, expected at least 5"), RefusedError);
  CHECK_THROWS_WITH_AS(make_folds({.classes = codes, .groups = Codes{0, 0, 1, 1}, .folds = 3}),
                       doctest::Contains("2 groups, expected at least 3"), RefusedError);
  CHECK_THROWS_WITH_AS(
      make_folds({.classes = codes, .groups = Codes{0, 0, 1, 1}, .folds = 2, .validation_fraction = 0.1}),
      doctest::Contains("2 groups, expected at least 3 for 2 folds"), RefusedError);
}

// SPDX-License-Identifier: Apache-2.0
#include "models/split.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/class_codes.h"

using namespace genexx;

namespace {

using Codes = std::vector<std::int32_t>;
using Rows = std::vector<std::int64_t>;

// `sizes[c]` cells of class c, the classes interleaved.
Codes classes_of_sizes(std::vector<int> sizes) {
  Codes codes;
  for (bool any = true; any;) {
    any = false;
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      if (sizes[c]-- <= 0) continue;
      codes.push_back(static_cast<std::int32_t>(c));
      any = true;
    }
  }
  return codes;
}

Rows sizes_in(const Rows& part, const Codes& codes, std::int64_t classes) {
  Codes chosen;
  for (const std::int64_t i : part) chosen.push_back(codes[static_cast<std::size_t>(i)]);
  return class_sizes(chosen, classes);
}

std::set<std::int32_t> groups_in(const Rows& part, const Codes& groups) {
  std::set<std::int32_t> found;
  for (const std::int64_t i : part) found.insert(groups[static_cast<std::size_t>(i)]);
  return found;
}

// Each row with a class is in one part, and parts ascend.
void check_partition(const CellSplit& split, const Codes& codes) {
  Rows all, labelled;
  for (const Rows* part : {&split.train, &split.validation, &split.test}) {
    CHECK(std::is_sorted(part->begin(), part->end()));
    all.insert(all.end(), part->begin(), part->end());
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (codes[i] >= 0) labelled.push_back(static_cast<std::int64_t>(i));
  CHECK(all == labelled);
}

}  // namespace

TEST_CASE("split: stratified keeps exact fractions of classes that divide") {
  const Codes codes = classes_of_sizes({100, 50, 10});

  const CellSplit split = stratified_split({.classes = codes, .seed = 1});

  check_partition(split, codes);
  CHECK(sizes_in(split.train, codes, 3) == Rows{80, 40, 8});
  CHECK(sizes_in(split.validation, codes, 3) == Rows{10, 5, 1});
  CHECK(sizes_in(split.test, codes, 3) == Rows{10, 5, 1});
}

TEST_CASE("split: rounding evens out across classes") {
  const Codes codes = classes_of_sizes(std::vector<int>(20, 14));  // 1.4 cells of each class to validation and test

  const CellSplit split = stratified_split({.classes = codes, .seed = 4});

  check_partition(split, codes);
  CHECK(std::abs(static_cast<int>(split.validation.size()) - 28) <= 1);
  CHECK(std::abs(static_cast<int>(split.test.size()) - 28) <= 1);
  for (const std::int64_t n : sizes_in(split.test, codes, 20)) CHECK((n == 1 || n == 2));
}

TEST_CASE("split: a class of three cells is in every part, of two in train and test, of one in train") {
  const Codes codes = classes_of_sizes({40, 3, 2, 1, 4});

  const CellSplit split = stratified_split({.classes = codes, .seed = 2});

  check_partition(split, codes);
  CHECK(sizes_in(split.train, codes, 5) == Rows{32, 1, 1, 1, 2});
  CHECK(sizes_in(split.validation, codes, 5) == Rows{4, 1, 0, 0, 1});
  CHECK(sizes_in(split.test, codes, 5) == Rows{4, 1, 1, 0, 1});
}

TEST_CASE("split: the seed alone decides, and different seeds choose different cells") {
  const Codes codes = classes_of_sizes({60, 40});

  const CellSplit a = stratified_split({.classes = codes, .seed = 7});
  const CellSplit b = stratified_split({.classes = codes, .seed = 7});
  const CellSplit c = stratified_split({.classes = codes, .seed = 8});

  CHECK(a.test == b.test);
  CHECK(a.train == b.train);
  CHECK(a.test != c.test);
}

TEST_CASE("split: every cell of a class is equally likely to test") {
  const Codes codes = classes_of_sizes({20, 5});
  std::vector<double> counts(codes.size());
  for (std::uint64_t seed = 0; seed < 4000; ++seed)
    for (const std::int64_t i : stratified_split({.classes = codes, .seed = seed}).test)
      ++counts[static_cast<std::size_t>(i)];

  double chi = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const double expected = codes[i] == 0 ? 400 : 800;
    chi += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  CHECK(chi <
        49.7);  // the 0.999 quantile of chi-square with 23 degrees of freedom; drawing without replacement is tighter
}

TEST_CASE("split: cells without a class are in no part") {
  Codes codes = classes_of_sizes({30, 30});
  codes[5] = codes[17] = kNoClass;

  check_partition(stratified_split({.classes = codes, .seed = 3}), codes);
  check_partition(random_split({.classes = codes, .seed = 3}), codes);
}

TEST_CASE("split: a part of fraction zero stays empty") {
  const Codes codes = classes_of_sizes({9, 2});

  const CellSplit split =
      stratified_split({.classes = codes, .fractions = {.train = 0.75, .validation = 0, .test = 0.25}, .seed = 1});

  check_partition(split, codes);
  CHECK(split.validation.empty());
  CHECK(sizes_in(split.test, codes, 2) == Rows{2, 1});
}

TEST_CASE("split: random takes no notice of classes") {
  const Codes codes = classes_of_sizes({95, 5});

  const CellSplit split = random_split({.classes = codes, .seed = 5});

  check_partition(split, codes);
  CHECK(split.train.size() == 80);
  CHECK(split.validation.size() == 10);
  CHECK(split.test.size() == 10);
  CHECK(random_split({.classes = codes, .seed = 6}).test != split.test);
}

TEST_CASE("split: groups never straddle parts and equal donors divide 8 : 1 : 1") {
  Codes codes, groups;
  for (std::int32_t i = 0; i < 1000; ++i) {
    codes.push_back(i % 4);
    groups.push_back(i / 100);
  }

  const CellSplit split = stratified_split({.classes = codes, .groups = groups, .seed = 1});

  check_partition(split, codes);
  CHECK(groups_in(split.train, groups).size() == 8);
  CHECK(groups_in(split.validation, groups).size() == 1);
  CHECK(groups_in(split.test, groups).size() == 1);
  CHECK(split.train.size() == 800);
}

TEST_CASE("split: grouped keeps class proportions as far as donors allow") {
  // Donors 0..9 hold class 0 only, 10..19 class 1 only.
  Codes codes, groups;
  for (std::int32_t donor = 0; donor < 20; ++donor)
    for (int i = 0; i < 10; ++i) {
      codes.push_back(donor / 10);
      groups.push_back(donor);
    }

  const CellSplit split = stratified_split({.classes = codes, .groups = groups, .seed = 3});

  CHECK(sizes_in(split.train, codes, 2) == Rows{80, 80});
  CHECK(sizes_in(split.validation, codes, 2) == Rows{10, 10});
  CHECK(sizes_in(split.test, codes, 2) == Rows{10, 10});
}

TEST_CASE("split: three donors of very different size fill three parts, the largest trains") {
  Codes codes, groups;
  for (std::int32_t i = 0; i < 300; ++i) {
    codes.push_back(i % 2);
    groups.push_back(i < 200 ? 0 : i < 280 ? 1 : 2);
  }

  const CellSplit split = stratified_split({.classes = codes, .groups = groups, .seed = 1});

  check_partition(split, codes);
  CHECK(split.train.size() == 200);
  CHECK(!split.validation.empty());
  CHECK(!split.test.empty());
}

TEST_CASE("split: too few groups and cells without a group are refused by name") {
  const Codes codes = {0, 1, 0, 1};

  CHECK_THROWS_WITH_AS(stratified_split({.classes = codes, .groups = Codes{0, 0, 1, 1}, .seed = 1}),
                       doctest::Contains("come from 2 group(s), expected at least 3"), RefusedError);
  CHECK_THROWS_WITH_AS(stratified_split({.classes = codes, .groups = Codes{0, 1, -1, 2}, .seed = 1}),
                       doctest::Contains("row 2 has no group"), RefusedError);
  CHECK_THROWS_WITH_AS(stratified_split({.classes = codes, .groups = Codes{0, 1}, .seed = 1}),
                       doctest::Contains("groups has 2 entries, expected 4"), ShapeError);
}

TEST_CASE("split: bad fractions are refused by value") {
  const Codes codes = {0, 1, 0, 1};
  const auto with = [&](SplitFractions f) { return SplitRequest{.classes = codes, .fractions = f, .seed = 1}; };

  CHECK_THROWS_WITH_AS(stratified_split(with({0.8, 0.1, 0.2})), doctest::Contains("sum to 1.1"), UsageError);
  CHECK_THROWS_WITH_AS(stratified_split(with({0, 0.5, 0.5})), doctest::Contains("training fraction is 0"), UsageError);
  CHECK_THROWS_WITH_AS(stratified_split(with({1.2, -0.2, 0})), doctest::Contains("split fraction -0.2"), UsageError);
  CHECK_THROWS_WITH_AS(random_split(with({0.8, 0.1, 0.2})), doctest::Contains("expected none negative and the sum 1"),
                       UsageError);
}

TEST_CASE("split: the first cells are the test platform and the rest train") {
  const Codes codes = classes_of_sizes({6, 4});

  const CellSplit split = leading_test_split({.classes = codes, .test_cells = 4});

  check_partition(split, codes);
  CHECK(split.test == Rows{0, 1, 2, 3});
  CHECK(split.train == Rows{4, 5, 6, 7, 8, 9});
}

TEST_CASE("split: as published, the last cell is lost") {
  const Codes codes = classes_of_sizes({6, 4});

  const CellSplit split = leading_test_split({.classes = codes, .test_cells = 4, .last_cell = LastCell::lose});

  CHECK(split.train == Rows{4, 5, 6, 7, 8});
}

TEST_CASE("split: validation comes out of training, stratified") {
  const Codes codes = classes_of_sizes({40, 60});

  const CellSplit split =
      leading_test_split({.classes = codes, .test_cells = 20, .validation_fraction = 0.2, .seed = 2});

  check_partition(split, codes);
  CHECK(split.test.size() == 20);
  CHECK(sizes_in(split.validation, codes, 2) == Rows{6, 10});
  CHECK(sizes_in(split.train, codes, 2) == Rows{24, 40});
}

TEST_CASE("split: a leading test set that leaves nothing is refused") {
  const Codes codes = {0, 1, 0};

  CHECK_THROWS_WITH_AS(leading_test_split({.classes = codes, .test_cells = 3}),
                       doctest::Contains("the first 3 of 3 cells"), UsageError);
  CHECK_THROWS_AS(leading_test_split({.classes = codes, .test_cells = 0}), UsageError);
}

TEST_CASE("split: batch one trains, batch two tests, others are left out") {
  const Codes codes = {0, 1, 0, 1, 0, kNoClass};
  const Codes batches = {0, 1, 2, 0, 1, 0};

  const CellSplit split = batch_split({.classes = codes, .batches = batches});

  CHECK(split.train == Rows{0, 3});
  CHECK(split.test == Rows{1, 4});
  CHECK(split.validation.empty());
  CHECK_THROWS_WITH_AS(batch_split({.classes = codes, .batches = batches, .test_batch = 9}),
                       doctest::Contains("the test batch 0, expected some in both"), RefusedError);
}

// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/sample_split.h"

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;
using namespace genexx::transbrain;

namespace {

// Rows of regions with so many samples of `cells` rows each, in an order that mixes them.
struct Rows {
  std::vector<std::int32_t> regions, samples;
};

Rows rows_of(const std::vector<std::int64_t>& samples_of_region, std::int64_t cells) {
  Rows rows;
  for (std::int64_t c = 0; c < cells; ++c) {
    std::int32_t sample = 0;
    for (std::size_t region = 0; region < samples_of_region.size(); ++region)
      for (std::int64_t k = 0; k < samples_of_region[region]; ++k) {
        rows.regions.push_back(static_cast<std::int32_t>(region));
        rows.samples.push_back(sample++);
      }
  }
  return rows;
}

CellSplit split(const Rows& rows, std::uint64_t seed, double share = 0.1) {
  return split_by_sample({.regions = rows.regions, .samples = rows.samples, .validation = share, .seed = seed});
}

}  // namespace

TEST_CASE("sample_split: the number of validation samples rounds halves to even and is at least one") {
  CHECK(validation_samples(1, 0.1) == 1);
  CHECK(validation_samples(14, 0.1) == 1);
  CHECK(validation_samples(15, 0.1) == 2);
  CHECK(validation_samples(25, 0.1) == 2);
  CHECK(validation_samples(35, 0.1) == 4);
  CHECK(validation_samples(40, 0.1) == 4);
  CHECK(validation_samples(2, 0.99) == 2);
}

TEST_CASE("sample_split: whole samples go to one side, so many a region, in the order of the rows") {
  const Rows rows = rows_of({25, 4, 15, 2}, 3);

  const CellSplit s = split(rows, 7);

  std::map<std::int32_t, std::set<std::int32_t>> held_out;
  for (const std::int64_t row : s.validation) held_out[rows.regions[row]].insert(rows.samples[row]);
  CHECK(held_out[0].size() == 2);
  CHECK(held_out[1].size() == 1);
  CHECK(held_out[2].size() == 2);
  CHECK(held_out[3].size() == 1);
  CHECK(s.validation.size() == 6 * 3);
  CHECK(s.train.size() == rows.regions.size() - 18);
  CHECK(s.test.empty());
  for (const std::int64_t row : s.train) CHECK(held_out[rows.regions[row]].count(rows.samples[row]) == 0);
  CHECK(std::is_sorted(s.train.begin(), s.train.end()));
  CHECK(std::is_sorted(s.validation.begin(), s.validation.end()));
}

TEST_CASE("sample_split: a region with one sample has no training rows; rows without a region are in no part") {
  Rows rows = rows_of({1, 3}, 2);
  rows.regions[1] = -1;

  const CellSplit s = split(rows, 1);

  for (const std::int64_t row : s.train) CHECK(rows.regions[row] == 1);
  CHECK(s.train.size() + s.validation.size() == rows.regions.size() - 1);
}

TEST_CASE("sample_split: every sample is drawn about equally often, and the seed alone decides") {
  const Rows rows = rows_of({5}, 1);
  std::map<std::int64_t, int> count;
  for (std::uint64_t seed = 0; seed < 500; ++seed) ++count[split(rows, seed).validation.at(0)];

  // 500 draws of one in five: 100 +- 8.9 each; bounds of four deviations.
  for (std::int64_t sample = 0; sample < 5; ++sample) {
    CHECK(count[sample] > 64);
    CHECK(count[sample] < 136);
  }
  CHECK(split(rows, 3).validation == split(rows, 3).validation);
}

TEST_CASE("sample_split: what cannot be split is named") {
  const Rows rows = rows_of({2, 2}, 1);
  Rows torn = rows, lacking = rows;
  torn.samples[3] = torn.samples[0];
  lacking.samples[2] = -1;

  CHECK(contains(message_of<UsageError>([&] { split(rows, 1, 0); }), "split.validation is 0"));
  CHECK(contains(message_of<RefusedError>([&] { split(torn, 1); }), "row 3 (counted from 0) is in two regions"));
  CHECK(contains(message_of<RefusedError>([&] { split(lacking, 1); }), "row 2 (counted from 0) has no tissue sample"));
}

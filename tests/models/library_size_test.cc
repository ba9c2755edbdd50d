// SPDX-License-Identifier: Apache-2.0
#include "models/library_size.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

namespace {

// Rows (1 0 2 0), (0 0 0 0), (4 5 0 1).
CsrMatrix sample() {
  CsrMatrix m;
  m.rows = 3;
  m.cols = 4;
  m.row_begin = {0, 2, 2, 5};
  m.column = {0, 2, 0, 1, 3};
  m.value = {1, 2, 4, 5, 1};
  return m;
}

// Two replicas: the first sums over genes a and b, the second over all three.
Recipe sample_recipe() {
  Recipe r;
  r.gene_ids = {"a"};
  r.target_sum = {10, 100};
  r.library_gene_ids = {"a", "b", "c"};
  r.library_share = {0.75, 0.25, 0, 0.5, 0.3, 0.2};
  return r;
}

}  // namespace

TEST_CASE("library_size: totals over all and over some columns") {
  CHECK(row_totals(sample()) == std::vector<double>{3, 0, 10});
  CHECK(row_totals(sample(), std::vector<std::uint8_t>{1, 0, 0, 1}) == std::vector<double>{1, 0, 5});
}

TEST_CASE("library_size: the median leaves empty cells out") {
  CHECK(median_of_positive({5, 0, 1, 3}) == 3);
  CHECK(median_of_positive({5, 0, 1, 3, 4, 0}) == 3.5);
  CHECK(median_of_positive({0, 0}) == 0);
  CHECK(median_of_positive({}) == 0);
}

TEST_CASE("library_size: factors bring each cell to the replica's target over the replica's genes") {
  const std::vector<std::int32_t> map = {0, 1, 2, -1};

  CHECK(library_factors(sample(), sample_recipe(), 0, map) == std::vector<float>{10, 0, 10.0f / 9});
  CHECK(library_factors(sample(), sample_recipe(), 1, map) == std::vector<float>{100.0f / 3, 0, 100.0f / 9});
}

TEST_CASE("library_size: an input without some library genes is brought to their share of the target") {
  const std::vector<std::int32_t> map = {0, -1, -1, -1};

  CHECK(library_factors(sample(), sample_recipe(), 0, map) == std::vector<float>{7.5, 0, 7.5f / 4});
  CHECK_THROWS_WITH_AS(library_factors(sample(), sample_recipe(), 0, std::vector<std::int32_t>{-1, -1, -1, 2}),
                       doctest::Contains("none of the 3 genes"), RefusedError);
}

TEST_CASE("library_size: a recipe without the step leaves cells as they are") {
  Recipe r;
  r.gene_ids = {"a"};

  CHECK(library_factors(sample(), r, 0, {}) == std::vector<float>{1, 1, 1});
}

TEST_CASE("library_size: the normalised matrix has the model's genes in its order") {
  const CsrMatrix m =
      normalised(sample(), std::vector<std::int32_t>{1, -1, 0, 2}, 3, std::vector<float>{2, 1, 0.5}, Logarithm::yes);

  CHECK(m.rows == 3);
  CHECK(m.cols == 3);
  CHECK(m.row_begin == std::vector<std::int64_t>{0, 2, 2, 4});
  CHECK(m.column == std::vector<std::int32_t>{0, 1, 1, 2});
  CHECK(m.value[0] == static_cast<float>(std::log(5.0)));
  CHECK(m.value[1] == static_cast<float>(std::log(3.0)));
  CHECK(m.value[3] == static_cast<float>(std::log1p(0.5)));
}

TEST_CASE("library_size: without factors and logarithm values are copied, and cells of factor 0 are emptied") {
  const CsrMatrix same = normalised(sample(), std::vector<std::int32_t>{0, 1, 2, 3}, 4, {}, Logarithm::no);
  const CsrMatrix emptied =
      normalised(sample(), std::vector<std::int32_t>{0, 1, 2, 3}, 4, std::vector<float>{0, 0, 1}, Logarithm::no);

  CHECK(same.value == sample().value);
  CHECK(same.column == sample().column);
  CHECK(emptied.row_begin == std::vector<std::int64_t>{0, 0, 0, 3});
}

// SPDX-License-Identifier: Apache-2.0
#include "models/augmentation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "engine/error.h"

using namespace genexx;

namespace {

// 30 cells of class 0 and 6 of class 1; gene 0 holds 100 + the cell's number, gene 1 + class holds 1000.
struct Cells {
  CsrMatrix matrix;
  std::vector<std::int32_t> labels;
  std::vector<CellSplit> splits;

  Cells() {
    matrix.cols = 3;
    for (std::int32_t i = 0; i < 36; ++i) {
      const std::int32_t label = i < 30 ? 0 : 1;
      labels.push_back(label);
      add(0, static_cast<float>(100 + i));
      add(1 + label, 1000);
      matrix.row_begin.push_back(static_cast<std::int64_t>(matrix.column.size()));
      ++matrix.rows;
    }
    CellSplit all, part;
    for (std::int64_t i = 0; i < 36; ++i) {
      all.train.push_back(i);
      if (i != 31 && i != 5) part.train.push_back(i);
    }
    splits = {all, part};
  }

 private:
  void add(std::int32_t column, float value) {
    matrix.column.push_back(column);
    matrix.value.push_back(value);
  }
};

// Value of a row in a column.
double at(const CsrMatrix& m, std::int64_t row, std::int32_t column) {
  for (auto i = m.row_begin[static_cast<std::size_t>(row)]; i < m.row_begin[static_cast<std::size_t>(row) + 1]; ++i)
    if (m.column[static_cast<std::size_t>(i)] == column) return m.value[static_cast<std::size_t>(i)];
  return 0;
}

}  // namespace

TEST_CASE("augmentation: small classes are raised to their share of the largest, others left alone") {
  const Cells cells;

  const SyntheticCells s = synthesise(cells.matrix, cells.labels, cells.splits, {.share = 0.5, .keep = 0.5});

  // Split 0: 6 to 15. Split 1: 29 cells of class 0, so 5 to 15.
  CHECK(s.begin == std::vector<std::int64_t>{0, 9, 19});
  CHECK(s.labels == std::vector<std::int32_t>(19, 1));
  CHECK(s.parents.rows == 19);
  CHECK(s.weight.empty());
}

TEST_CASE("augmentation: thinned counts have the mean and variance of a binomial") {
  const Cells cells;

  const SyntheticCells s =
      synthesise(cells.matrix, cells.labels, {cells.splits[0]}, {.share = 60, .keep = 0.3, .seed = 7});

  // 1800 - 30 + 1800 - 6 draws of Binomial(1000, 0.3): mean 300, variance 210; standard errors 0.24 and 5.
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < s.count(); ++i) {
    const double value = at(s.parents, i, 1 + s.labels[static_cast<std::size_t>(i)]);
    sum += value;
    squares += (value - 300) * (value - 300);
  }
  CHECK(s.count() == 3564);
  CHECK(std::abs(sum / 3564 - 300) < 1);
  CHECK(std::abs(squares / 3564 - 210) < 20);
}

TEST_CASE("augmentation: cells are made of the split's own training cells, in turn") {
  const Cells cells;

  const SyntheticCells s = synthesise(cells.matrix, cells.labels, cells.splits, {.share = 0.5, .mix_up = 1});

  std::map<int, int> firsts;
  for (std::int64_t i = s.begin[1]; i < s.begin[2]; ++i) {
    const int first = static_cast<int>(at(s.parents, 2 * i, 0)) - 100,
              second = static_cast<int>(at(s.parents, 2 * i + 1, 0)) - 100;
    CHECK(first != second);
    CHECK(first >= 30);
    CHECK(second >= 30);
    CHECK(first != 31);  // which is not in the split's training cells
    CHECK(second != 31);
    ++firsts[first];
  }
  CHECK(firsts == std::map<int, int>{{30, 2}, {32, 2}, {33, 2}, {34, 2}, {35, 2}});
}

TEST_CASE("augmentation: a split's cells are the same alone, and others with another seed") {
  const Cells cells;
  const AugmentationPlan plan = {.share = 0.5, .keep = 0.5, .mix_up = 0.4, .seed = 3};
  AugmentationPlan other = plan;
  other.seed = 4;

  const SyntheticCells joint = synthesise(cells.matrix, cells.labels, cells.splits, plan),
                       alone = synthesise(cells.matrix, cells.labels, {cells.splits[0]}, plan),
                       again = synthesise(cells.matrix, cells.labels, {cells.splits[0]}, other);

  const auto entries = static_cast<std::ptrdiff_t>(alone.parents.value.size());
  CHECK(std::vector<float>(joint.parents.value.begin(), joint.parents.value.begin() + entries) == alone.parents.value);
  CHECK(std::vector<double>(joint.weight.begin(), joint.weight.begin() + alone.count()) == alone.weight);
  CHECK(again.parents.value != alone.parents.value);
  CHECK(again.weight != alone.weight);
}

TEST_CASE("augmentation: weights have the moments of Beta(alpha, alpha)") {
  const Cells cells;
  for (const double alpha : {0.2, 1.0, 3.0}) {
    CAPTURE(alpha);

    const SyntheticCells s =
        synthesise(cells.matrix, cells.labels, {cells.splits[0]}, {.share = 60, .mix_up = alpha, .seed = 1});

    double sum = 0, squares = 0;
    for (const double w : s.weight) {
      CHECK(w >= 0);
      CHECK(w <= 1);
      sum += w;
      squares += (w - 0.5) * (w - 0.5);
    }
    const double n = static_cast<double>(s.weight.size()), variance = 1 / (4 * (2 * alpha + 1));
    CHECK(n == 3564);
    CHECK(std::abs(sum / n - 0.5) < 4 * std::sqrt(variance / n));
    CHECK(std::abs(squares / n - variance) < 0.1 * variance);
  }
}

TEST_CASE("augmentation: a class of one cell is mixed with itself") {
  Cells cells;
  cells.splits[0].train = {0, 1, 2, 30};

  const SyntheticCells s = synthesise(cells.matrix, cells.labels, {cells.splits[0]}, {.share = 1, .mix_up = 1});

  REQUIRE(s.count() == 2);
  CHECK(at(mixed(s.parents, s.weight), 0, 0) == doctest::Approx(130).epsilon(1e-6));
}

TEST_CASE("augmentation: mixed rows, literals with columns of one and of both") {
  const CsrMatrix parents = {
      .rows = 4, .cols = 4, .row_begin = {0, 2, 4, 4, 5}, .column = {0, 2, 2, 3, 1}, .value = {8, 4, 12, 16, 6}};

  const CsrMatrix m = mixed(parents, {0.25, 0.5});

  CHECK(m.rows == 2);
  CHECK(m.cols == 4);
  CHECK(m.row_begin == std::vector<std::int64_t>{0, 3, 4});
  CHECK(m.column == std::vector<std::int32_t>{0, 2, 3, 1});
  CHECK(m.value == std::vector<float>{2, 10, 12, 3});
}

TEST_CASE("augmentation: what is no count is not thinned") {
  Cells cells;
  cells.matrix.value[60] = 1.5f;

  CHECK_THROWS_WITH_AS(synthesise(cells.matrix, cells.labels, cells.splits, {.share = 0.5, .keep = 0.5}),
                       doctest::Contains("the value of cell 31 in column 1 is 1.5"), RefusedError);
  CHECK(synthesise(cells.matrix, cells.labels, cells.splits, {.share = 0.5, .mix_up = 0.5}).count() == 19);
}

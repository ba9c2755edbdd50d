// SPDX-License-Identifier: Apache-2.0
#include "kernels/group_means.h"

#include "tests/oracle/group_means_oracle.h"
#include "tests/support/cells_case.h"

using namespace genexx;
using namespace genexx::test;
using oracle::CellsCase;
using oracle::GroupMeans;

namespace {

GroupMeans run(Context& ctx, const CellsCase& c, const std::vector<std::int32_t>& group_of_cell, std::int64_t groups,
               Form form, Fill fill = Fill::nan) {
  const DeviceCells d(ctx, c, form);
  const DeviceArray group(ctx, {c.cells}, group_of_cell);
  const DeviceArray mean(ctx, {c.replicas, groups, c.cols}, DType::f64, fill),
      count(ctx, {c.replicas, groups}, DType::i64);
  const DeviceArray within(ctx, {c.replicas, c.cols}, DType::f64, fill);

  group_means::run(ctx, {.data = d.data.data,
                         .rows = d.rows,
                         .row_factor = d.row_factor,
                         .transform = c.transform,
                         .group_of_cell = group,
                         .mean = mean,
                         .count = count,
                         .within = within});
  return {mean.values(), count.download<std::int64_t>(), within.values()};
}

// Five groups of which the last is empty; one cell in six is in none.
std::vector<std::int32_t> random_groups(std::int64_t cells, std::uint64_t seed) {
  std::vector<std::int32_t> groups = random_labels(cells, 5, seed);
  for (std::int32_t& g : groups) g -= 1;
  return groups;
}

// Sums of at most n terms of one sign; squares as in gene_stats, with values of at most `size`.
void expect_means(const GroupMeans& got, const GroupMeans& expected, std::int64_t n, double size) {
  const double k = static_cast<double>(n + 8);
  CHECK(got.count == expected.count);
  expect_close(got.mean, expected.mean, {.k = k, .scale = 0});
  for (std::size_t j = 0; j < expected.within.size(); ++j) {
    CAPTURE(j);
    const double rows = static_cast<double>(n);
    const double deviation = std::sqrt(expected.within[j] / rows) + k * std::numeric_limits<double>::epsilon() * size;
    expect_close({got.within[j]}, {expected.within[j]}, {.k = k, .scale = rows * size * deviation});
  }
}

}  // namespace

TEST_CASE("group_means: literals") {
  on_every_device([](Context& ctx) {
    // Cells (1 0), (3 4), (8 0), (5 5); groups 1, 0, 1, none; the second cell twice as heavy.
    CellsCase c;
    c.cells = 4;
    c.cols = 2;
    c.n = 5;
    c.matrix = {1, 0, 3, 4, 8, 0, 5, 5};
    c.rows = {0, -1, 1, 2, 3};
    c.row_factor = {1, 2, 1, 1};

    const GroupMeans s = run(ctx, c, {1, 0, 1, -1}, 3, Form::csr);

    expect_close(s.mean, {6, 8, 4.5, 0, 0, 0}, {});
    CHECK(s.count == std::vector<std::int64_t>{1, 2, 0});
    expect_close(s.within, {24.5, 0}, {});
  });
}

TEST_CASE("group_means: agrees with the oracle at every number of genes around the vector width") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t cols : {1, 3, 31, 32, 33, 257}) {
      CAPTURE(cols);
      CellsCase c = random_cells(19, cols, 2, 41, 40 + static_cast<std::uint64_t>(cols));
      const std::vector<std::int32_t> groups = random_groups(19, 7);
      c.transform = ValueTransform::log1p;
      expect_means(run(ctx, c, groups, 5, Form::csr), oracle::group_means(c, groups, 5), c.n, 11);
      c.transform = ValueTransform::none;
      expect_means(run(ctx, c, groups, 5, Form::dense, Fill::huge), oracle::group_means(c, groups, 5), c.n, 3e4);
    }
  });
}

TEST_CASE("group_means: count and within may be absent") {
  on_every_device([](Context& ctx) {
    const CellsCase c = random_cells(9, 34, 1, 12, 5);
    const std::vector<std::int32_t> groups = random_groups(9, 1);
    const DeviceCells d(ctx, c, Form::csr);
    const DeviceArray group(ctx, {9}, groups), mean(ctx, {1, 5, 34}, DType::f64);

    group_means::run(
        ctx, {.data = d.data.data, .rows = d.rows, .row_factor = d.row_factor, .group_of_cell = group, .mean = mean});

    expect_equal_bits(mean.values(), run(ctx, c, groups, 5, Form::csr).mean);
  });
}

TEST_CASE("group_means: a joint call gives each replica the bits of its own call") {
  on_every_device([](Context& ctx) {
    const CellsCase joint = random_cells(21, 70, 3, 30, 9);
    const std::vector<std::int32_t> groups = random_groups(21, 2);
    const GroupMeans together = run(ctx, joint, groups, 5, Form::csr);
    for (std::int64_t k = 0; k < 3; ++k) {
      const GroupMeans alone = run(ctx, replica_of(joint, k), groups, 5, Form::csr);
      expect_equal_bits({together.mean.begin() + k * 350, together.mean.begin() + (k + 1) * 350}, alone.mean);
      expect_equal_bits({together.within.begin() + k * 70, together.within.begin() + (k + 1) * 70}, alone.within);
    }
  });
}

TEST_CASE("group_means: one and two threads give the same bits") {
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  const CellsCase c = random_cells(50, 1500, 1, 60, 4);
  const std::vector<std::int32_t> groups = random_groups(50, 3);

  expect_equal_bits(run(one, c, groups, 5, Form::csr).within, run(two, c, groups, 5, Form::csr).within);
}

TEST_CASE("group_means: names the wrong argument") {
  CpuContext ctx;
  const CellsCase c = random_cells(5, 8, 2, 3, 1);
  const DeviceCells d(ctx, c, Form::csr);
  const DeviceArray group(ctx, {5}, DType::i32), few(ctx, {4}, DType::i32), mean(ctx, {2, 3, 8}, DType::f64);
  const DeviceArray wide(ctx, {2, 9}, DType::f64), count(ctx, {2, 4}, DType::i64);
  const group_means::Args good = {
      .data = d.data.data, .rows = d.rows, .row_factor = d.row_factor, .group_of_cell = group, .mean = mean};
  const auto fails = [&](const group_means::Args& args, const char* words) {
    CHECK_THROWS_WITH_AS(group_means::run(ctx, args), doctest::Contains(words), ShapeError);
  };
  group_means::Args a = good;

  fails((a.group_of_cell = few, a), "group_of_cell is [4], expected [5]");
  a = good;
  fails((a.mean = {}, a), "mean is absent");
  a = good;
  fails((a.within = wide, a), "within is [2, 9], expected [2, 8]");
  a = good;
  fails((a.count = count, a), "count is [2, 4], expected [2, 3]");
}

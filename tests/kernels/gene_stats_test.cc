// SPDX-License-Identifier: Apache-2.0
#include "kernels/gene_stats.h"

#include "tests/oracle/gene_stats_oracle.h"
#include "tests/support/cells_case.h"

using namespace genexx;
using namespace genexx::test;
using oracle::CellsCase;
using oracle::GeneStats;

namespace {

GeneStats run(Context& ctx, const CellsCase& c, Form form, int ddof, Fill fill = Fill::nan) {
  const DeviceCells d(ctx, c, form);
  const Shape shape = {c.replicas, c.cols};
  const DeviceArray sum(ctx, shape, DType::f64, fill), mean(ctx, shape, DType::f64, fill),
      variance(ctx, shape, DType::f64, fill);
  const DeviceArray low(ctx, shape, DType::f64, fill), high(ctx, shape, DType::f64, fill),
      nnz(ctx, shape, DType::i64, fill);

  gene_stats::run(ctx, {.data = d.data.data,
                        .rows = d.rows,
                        .row_factor = d.row_factor,
                        .transform = c.transform,
                        .ddof = ddof,
                        .sum = sum,
                        .mean = mean,
                        .variance = variance,
                        .min = low,
                        .max = high,
                        .nnz = nnz});
  return {sum.values(), mean.values(), variance.values(), low.values(), high.values(), nnz.download<std::int64_t>()};
}

// Sums of n terms of one sign: relative error n eps. Each x, and so its distance from the mean, is off by some eps |x|,
// which moves the variance by eps |x| times the standard deviation; the mean is off by n eps |x|, which adds its
// square.
void expect_stats(const GeneStats& got, const GeneStats& expected, std::int64_t n) {
  const double k = static_cast<double>(n + 8);
  for (std::size_t j = 0; j < expected.sum.size(); ++j) {
    CAPTURE(j);
    const double size = std::max(std::fabs(expected.min[j]), std::fabs(expected.max[j]));
    expect_close({got.sum[j]}, {expected.sum[j]}, {.k = k, .scale = 0});
    expect_close({got.mean[j]}, {expected.mean[j]}, {.k = k, .scale = 0});
    const double deviation = std::sqrt(expected.variance[j]) + k * std::numeric_limits<double>::epsilon() * size;
    expect_close({got.variance[j]}, {expected.variance[j]}, {.k = k, .scale = size * deviation});
    expect_close({got.min[j], got.max[j]}, {expected.min[j], expected.max[j]}, {.k = 4, .scale = 0});
  }
  CHECK(got.nnz == expected.nnz);
}

}  // namespace

TEST_CASE("gene_stats: literals") {
  on_every_device([](Context& ctx) {
    // Cells (1 0 2), (3 0 0), (8 0 -4), the last twice as heavy; the middle row is passed over once.
    CellsCase c;
    c.cells = 3;
    c.cols = 3;
    c.n = 4;
    c.matrix = {1, 0, 2, 3, 0, 0, 8, 0, -4};
    c.rows = {0, -1, 1, 2};
    c.row_factor = {1, 1, 0.5};

    const GeneStats s = run(ctx, c, Form::csr, 1);

    expect_close(s.sum, {8, 0, 0}, {});
    expect_close(s.mean, {8.0 / 3, 0, 0}, {});
    expect_close(s.variance, {7.0 / 3, 0, 4}, {.k = 4});
    expect_close(s.min, {1, 0, -2}, {});
    expect_close(s.max, {4, 0, 2}, {});
    CHECK(s.nnz == std::vector<std::int64_t>{3, 0, 2});
  });
}

TEST_CASE("gene_stats: agrees with the oracle at every number of genes around the vector width") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t cols : {1, 3, 31, 32, 33, 257}) {
      CAPTURE(cols);
      CellsCase c = random_cells(19, cols, 2, 23, 40 + static_cast<std::uint64_t>(cols));
      for (const ValueTransform t : {ValueTransform::none, ValueTransform::log1p}) {
        c.transform = t;
        expect_stats(run(ctx, c, Form::csr, 1), oracle::gene_stats(c, 1), c.n);
        expect_stats(run(ctx, c, Form::dense, 0, Fill::huge), oracle::gene_stats(c, 0), c.n);
      }
    }
  });
}

TEST_CASE("gene_stats: expm1 undoes log1p") {
  on_every_device([](Context& ctx) {
    CellsCase c = random_cells(9, 35, 1, 12, 6);
    for (double& x : c.matrix) x = static_cast<float>(std::log1p(x));
    c.transform = ValueTransform::expm1;
    c.row_factor.assign(9, 1.0);

    expect_stats(run(ctx, c, Form::csr, 1), oracle::gene_stats(c, 1), c.n);
  });
}

TEST_CASE("gene_stats: many rows in several runs, a mean of 1e4 and constant columns keep their variance") {
  on_every_device([](Context& ctx) {
    CellsCase c = random_cells(40, 5, 1, 1100, 11);
    c.row_factor.assign(40, 1.0);

    const GeneStats s = run(ctx, c, Form::csr, 1);

    expect_stats(s, oracle::gene_stats(c, 1), c.n);
    CHECK(s.variance[0] == 0);
    CHECK(s.variance[1] == 0);
    CHECK(s.variance[2] > 10);
  });
}

TEST_CASE("gene_stats: a run of rows that are all passed over does not count as zeros") {
  on_every_device([](Context& ctx) {
    CellsCase c = random_cells(4, 3, 1, 600, 1);
    c.row_factor.assign(4, 1.0);
    for (std::size_t i = 0; i < 600; ++i) c.rows[i] = i < 250 ? static_cast<std::int64_t>(i % 4) : -1;

    const GeneStats s = run(ctx, c, Form::csr, 1);

    CHECK(s.min[0] == 3);
    CHECK(s.max[0] == 3);
    CHECK(s.sum[0] == 750);
    CHECK(s.min[2] >= 1e4);
  });
}

TEST_CASE("gene_stats: outputs that are not wanted may be absent") {
  on_every_device([](Context& ctx) {
    const CellsCase c = random_cells(12, 33, 1, 15, 2);
    const DeviceCells d(ctx, c, Form::csr);
    const DeviceArray variance(ctx, {1, 33}, DType::f64), nnz(ctx, {1, 33}, DType::i64);

    gene_stats::run(ctx, {.data = d.data.data, .rows = d.rows, .row_factor = d.row_factor, .variance = variance});
    gene_stats::run(ctx, {.data = d.data.data, .rows = d.rows, .row_factor = d.row_factor, .nnz = nnz});

    const GeneStats all = run(ctx, c, Form::csr, 1);
    expect_equal_bits(variance.values(), all.variance);
    CHECK(nnz.download<std::int64_t>() == all.nnz);
  });
}

TEST_CASE("gene_stats: without rows everything is 0, and one row has no variance") {
  on_every_device([](Context& ctx) {
    CellsCase c = random_cells(5, 7, 2, 2, 3);
    c.rows = {-1, -1, 4, -1};

    const GeneStats s = run(ctx, c, Form::csr, 1);

    for (int j = 0; j < 7; ++j) {
      CHECK(s.sum[j] == 0);
      CHECK(s.mean[j] == 0);
      CHECK(s.max[j] == 0);
      CHECK(s.variance[j] == 0);
      CHECK(s.variance[7 + j] == 0);
    }
    CHECK(s.sum[7] == s.max[7]);
    CHECK(s.sum[7] > 0);
  });
}

TEST_CASE("gene_stats: a joint call gives each replica the bits of its own call") {
  on_every_device([](Context& ctx) {
    CellsCase joint = random_cells(21, 70, 3, 300, 9);
    joint.transform = ValueTransform::log1p;
    const GeneStats together = run(ctx, joint, Form::csr, 1);
    for (std::int64_t k = 0; k < 3; ++k) {
      const GeneStats alone = run(ctx, replica_of(joint, k), Form::csr, 1);
      const auto part = [&](const std::vector<double>& v) {
        return std::vector<double>(v.begin() + k * 70, v.begin() + (k + 1) * 70);
      };
      expect_equal_bits(part(together.mean), alone.mean);
      expect_equal_bits(part(together.variance), alone.variance);
    }
  });
}

TEST_CASE("gene_stats: one and two threads give the same bits") {
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  const CellsCase c = random_cells(50, 1500, 2, 60, 4);

  expect_equal_bits(run(one, c, Form::csr, 1).variance, run(two, c, Form::csr, 1).variance);
}

TEST_CASE("gene_stats: names the wrong argument") {
  CpuContext ctx;
  const CellsCase c = random_cells(5, 8, 2, 3, 1);
  const DeviceCells d(ctx, c, Form::csr);
  const DeviceArray wide(ctx, {2, 9}, DType::f64), narrow(ctx, {2, 8}, DType::f32);
  const gene_stats::Args good = {.data = d.data.data, .rows = d.rows, .row_factor = d.row_factor};
  const auto fails = [&](const gene_stats::Args& args, const char* words) {
    CHECK_THROWS_WITH_AS(gene_stats::run(ctx, args), doctest::Contains(words), ShapeError);
  };
  gene_stats::Args a = good;

  fails((a.mean = wide, a), "mean is [2, 9], expected [2, 8]");
  a = good;
  fails((a.variance = narrow, a), "variance is f32, expected f64");
  a = good;
  fails((a.rows = {}, a), "rows is absent");
  a = good;
  fails((a.row_factor.shape = {2, 4}, a), "row_factor is [2, 4], expected [2, 5]");
  a = good;
  fails((a.ddof = -1, a), "ddof is -1");
}

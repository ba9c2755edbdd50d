// SPDX-License-Identifier: Apache-2.0
#include "kernels/correlation.h"

#include "kernels/gene_stats.h"
#include "tests/oracle/correlation_oracle.h"
#include "tests/support/cells_case.h"

using namespace genexx;
using namespace genexx::test;
using oracle::CellsCase;

namespace {

// Which gene of a side each column is.
std::vector<std::int32_t> gene_map(std::int64_t cols, const std::vector<std::int64_t>& columns) {
  std::vector<std::int32_t> map(static_cast<std::size_t>(cols), -1);
  for (std::size_t g = 0; g < columns.size(); ++g)
    map[static_cast<std::size_t>(columns[g])] = static_cast<std::int32_t>(g);
  return map;
}

// Mean and reciprocal norm of the columns for every replica, [replicas, |columns|], from the oracle's statistics.
struct Standard {
  std::vector<double> mean, rnorm;
};
Standard standard(const CellsCase& c, const std::vector<std::int64_t>& columns) {
  const oracle::GeneStats stats = oracle::gene_stats(c, 0);
  Standard s;
  for (std::int64_t k = 0; k < c.replicas; ++k) {
    double rows = 0;
    for (std::int64_t i = 0; i < c.n; ++i) rows += c.rows[k * c.n + i] >= 0;
    for (const std::int64_t j : columns) {
      const double squares = stats.variance[k * c.cols + j] * rows;
      s.mean.push_back(stats.mean[k * c.cols + j]);
      s.rnorm.push_back(squares > 1e-12 ? 1 / std::sqrt(squares) : 0.0);
    }
  }
  return s;
}

template <class T>
std::vector<double> run(Context& ctx, const CellsCase& c, const std::vector<std::int64_t>& a,
                        const std::vector<std::int64_t>& b, Form form, Fill fill = Fill::nan) {
  const DeviceCells d(ctx, c, form);
  const std::int64_t ga = static_cast<std::int64_t>(a.size()), gb = static_cast<std::int64_t>(b.size());
  const Standard sa = standard(c, a), sb = standard(c, b);
  const DeviceArray a_map(ctx, {c.cols}, gene_map(c.cols, a)), b_map(ctx, {c.cols}, gene_map(c.cols, b));
  const DeviceArray a_mean(ctx, {c.replicas, ga}, cast<T>(sa.mean)), a_rnorm(ctx, {c.replicas, ga}, cast<T>(sa.rnorm));
  const DeviceArray b_mean(ctx, {c.replicas, gb}, cast<T>(sb.mean)), b_rnorm(ctx, {c.replicas, gb}, cast<T>(sb.rnorm));
  const DeviceArray out(ctx, {c.replicas, ga, gb}, DTypeOf<T>::value, fill);

  correlation::run(ctx, {.data = d.data.data,
                         .rows = d.rows,
                         .row_factor = d.row_factor,
                         .transform = c.transform,
                         .a = {.gene_of_column = a_map, .mean = a_mean, .rnorm = a_rnorm},
                         .b = {.gene_of_column = b_map, .mean = b_mean, .rnorm = b_rnorm},
                         .out = out});
  return out.values();
}

std::vector<double> expected(const CellsCase& c, const std::vector<std::int64_t>& a,
                             const std::vector<std::int64_t>& b) {
  std::vector<double> all;
  for (std::int64_t k = 0; k < c.replicas; ++k)
    for (const double r : oracle::correlation(c, k, a, b)) all.push_back(r);
  return all;
}

std::vector<std::int64_t> every(std::int64_t step, std::int64_t from, std::int64_t cols) {
  std::vector<std::int64_t> columns;
  for (std::int64_t j = from; j < cols; j += step) columns.push_back(j);
  return columns;
}

}  // namespace

TEST_CASE("correlation: literals") {
  on_every_device([](Context& ctx) {
    // Columns: x = 1 2 3 4, 2x, -x, constant, and one of correlation 0.6 with x (hand computed: 3 / 5).
    CellsCase c;
    c.cells = 4;
    c.cols = 5;
    c.n = 4;
    c.matrix = {1, 2, 9, 7, 2, 2, 4, 8, 7, 1, 3, 6, 7, 7, 4, 4, 8, 6, 7, 3};
    c.rows = {0, 1, 2, 3};
    c.row_factor = {1, 1, 1, 1};

    const std::vector<double> r = run<double>(ctx, c, {1, 2, 3, 4, 0}, {0}, Form::csr);

    expect_close(r, {1, -1, 0, 0.6, 1}, {.k = 8});
  });
}

TEST_CASE("correlation: agrees with the oracle, CSR and dense, f64 and f32") {
  on_every_device([](Context& ctx) {
    for (const std::int64_t cols : {4, 31, 33, 70}) {
      CAPTURE(cols);
      CellsCase c = random_cells(23, cols, 2, 37, 60 + static_cast<std::uint64_t>(cols));
      c.transform = ValueTransform::log1p;
      const std::vector<std::int64_t> a = every(1, 1, cols), b = every(3, 0, cols);
      const std::vector<double> r = expected(c, a, b);
      // 37 products of at most 1 and the standardisation; column 2 has a mean of 1e4, its logarithm 9 to 10 with
      // deviations of 0.4, so that a rounding of x is 25 times as large in u.
      const double k = 37 + 8 * 25;
      expect_close(run<double>(ctx, c, a, b, Form::csr), r, {.k = k});
      expect_close(run<double>(ctx, c, a, b, Form::dense, Fill::huge), r, {.k = k});
      expect_close(run<float>(ctx, c, a, b, Form::csr, Fill::huge), r, {.k = k, .dtype = DType::f32});
    }
  });
}

TEST_CASE("correlation: rows of several blocks add up") {
  CpuContext ctx;
  const std::int64_t cols = 9000;
  CellsCase c;
  c.cells = 30;
  c.cols = cols;
  c.n = 300;
  c.matrix = random_values(30 * cols, 5, 1, 9);
  for (const std::int32_t row : random_labels(300, 30, 6)) c.rows.push_back(row);
  c.row_factor.assign(30, 1.0);
  const std::vector<std::int64_t> a = every(1, 0, cols), b = {17, 4000};

  const std::vector<double> r = run<double>(ctx, c, a, b, Form::dense);

  const std::vector<std::int64_t> few = {0, 17, 4000, 8999};
  const std::vector<double> want = expected(c, few, b);
  for (std::size_t i = 0; i < few.size(); ++i)
    expect_close({r[few[i] * 2], r[few[i] * 2 + 1]}, {want[i * 2], want[i * 2 + 1]}, {.k = 320});
}

TEST_CASE("correlation: no rounding takes it past 1") {
  on_every_device([](Context& ctx) {
    CellsCase c = random_cells(40, 40, 1, 80, 3);
    const std::vector<std::int64_t> all = every(1, 0, 40);

    const std::vector<double> r = run<float>(ctx, c, all, all, Form::csr);

    for (std::size_t i = 0; i < r.size(); ++i) CHECK(std::fabs(r[i]) <= 1);
    CHECK(r[5 * 40 + 5] > 0.999);
  });
}

TEST_CASE("correlation: a joint call gives each replica the bits of its own call") {
  on_every_device([](Context& ctx) {
    const CellsCase joint = random_cells(21, 50, 3, 30, 9);
    const std::vector<std::int64_t> a = every(1, 0, 50), b = every(7, 3, 50);
    const std::vector<double> together = run<double>(ctx, joint, a, b, Form::csr);
    const std::int64_t size = static_cast<std::int64_t>(a.size() * b.size());
    for (std::int64_t k = 0; k < 3; ++k)
      expect_equal_bits({together.begin() + k * size, together.begin() + (k + 1) * size},
                        run<double>(ctx, replica_of(joint, k), a, b, Form::csr));
  });
}

TEST_CASE("correlation: one and two threads give the same bits") {
  ThreadPool pool(2);
  CpuContext one, two(&pool);
  const CellsCase c = random_cells(50, 300, 1, 60, 4);
  const std::vector<std::int64_t> a = every(1, 0, 300), b = every(2, 0, 300);

  expect_equal_bits(run<double>(one, c, a, b, Form::csr), run<double>(two, c, a, b, Form::csr));
}

TEST_CASE("correlation: names the wrong argument") {
  CpuContext ctx;
  const CellsCase c = random_cells(5, 8, 2, 3, 1);
  const DeviceCells d(ctx, c, Form::csr);
  const DeviceArray map(ctx, {8}, DType::i32), short_map(ctx, {7}, DType::i32), statistic(ctx, {1, 4}, DType::f64);
  const DeviceArray single(ctx, {1, 4}, DType::f32), out(ctx, {2, 4, 4}, DType::f64);
  const correlation::Side side = {.gene_of_column = map, .mean = statistic, .rnorm = statistic};
  const correlation::Args good = {
      .data = d.data.data, .rows = d.rows, .row_factor = d.row_factor, .a = side, .b = side, .out = out};
  const auto fails = [&](const correlation::Args& args, const char* words) {
    CHECK_THROWS_WITH_AS(correlation::run(ctx, args), doctest::Contains(words), ShapeError);
  };
  correlation::Args a = good;

  fails((a.a.gene_of_column = short_map, a), "a.gene_of_column is [7], expected [8]");
  a = good;
  fails((a.b.mean = single, a), "b.mean is f32, expected f64");
  a = good;
  fails((a.b.rnorm = {}, a), "b.rnorm is absent");
  a = good;
  fails((a.rows.shape = {3, 3}, a), "rows is [3, 3], expected [2, 3]");
}

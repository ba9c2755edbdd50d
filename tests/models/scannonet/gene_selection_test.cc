// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/gene_selection.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "models/class_codes.h"
#include "models/library_size.h"
#include "models/scannonet/gene_filter.h"
#include "models/simulate.h"
#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::scannonet;

namespace {

struct Sample {
  CsrMatrix counts;
  std::vector<std::int32_t> labels;
  std::vector<std::string> types;
};

// 240 simulated cells of four types, 300 genes.
Sample sample() {
  ThreadPool pool(1);
  CellSimulation request;
  request.cells = 240;
  request.genes = 300;
  request.types = 4;
  request.density = 0.2;
  request.separation = 2;
  request.seed = 5;
  SimulatedCells cells = simulate_cells(request, pool);
  const ClassCodes codes = encode_classes(cells.cell_types);
  return {std::move(cells.counts), codes.codes, codes.names};
}

SelectionOptions small_options() {
  SelectionOptions o;
  o.variable_genes = 100;
  return o;
}

// The rows `cells` of a matrix as a matrix of their own.
CsrMatrix rows_of(const CsrMatrix& m, const std::vector<std::int64_t>& cells) {
  CsrMatrix out;
  out.cols = m.cols;
  for (const std::int64_t cell : cells) {
    const std::ptrdiff_t begin = m.row_begin[static_cast<std::size_t>(cell)],
                         end = m.row_begin[static_cast<std::size_t>(cell) + 1];
    out.column.insert(out.column.end(), m.column.begin() + begin, m.column.begin() + end);
    out.value.insert(out.value.end(), m.value.begin() + begin, m.value.begin() + end);
    out.row_begin.push_back(static_cast<std::int64_t>(out.column.size()));
    ++out.rows;
  }
  return out;
}

bool mentions(const std::vector<std::string>& warnings, const std::string& words) {
  return std::any_of(warnings.begin(), warnings.end(),
                     [&](const std::string& w) { return w.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("gene_selection: every device and thread count selects the same genes") {
  const Sample d = sample();
  CpuContext cpu;
  const Selection expected = select_genes(cpu, {d.counts, d.labels, d.types}, small_options());
  REQUIRE(expected.markers.size() > 10);
  REQUIRE(expected.features.size() > 50);
  test::on_every_device([&](Context& ctx) {
    const Selection s = select_genes(ctx, {d.counts, d.labels, d.types}, small_options());

    CHECK(s.variable == expected.variable);
    CHECK(s.features == expected.features);
    CHECK(s.coexpressed.size() == expected.coexpressed.size());
    test::expect_close(s.mean, expected.mean, {.k = 300});
    test::expect_close(s.deviation, expected.deviation, {.k = 300});
    test::expect_close(s.index, expected.index, {.k = 3000});
  });
}

TEST_CASE("gene_selection: a fold fitted on some cells is the fit of a matrix of those cells alone") {
  const Sample d = sample();
  CpuContext ctx;
  std::vector<std::int64_t> cells;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < d.counts.rows; ++i)
    if (i % 5 != 2) {
      cells.push_back(i);
      labels.push_back(d.labels[static_cast<std::size_t>(i)]);
    }

  const Selection fold = select_genes(ctx, {d.counts, d.labels, d.types, cells}, small_options());
  const CsrMatrix part = rows_of(d.counts, cells);
  const Selection alone = select_genes(ctx, {part, labels, d.types}, small_options());

  CHECK(fold.target_sum == alone.target_sum);
  CHECK(fold.genes == alone.genes);
  CHECK(fold.features == alone.features);
  test::expect_equal_bits(fold.mean, alone.mean);
  test::expect_equal_bits(fold.deviation, alone.deviation);
  test::expect_equal_bits(fold.index, alone.index);
  REQUIRE(fold.coexpressed.size() == alone.coexpressed.size());
  for (std::size_t i = 0; i < fold.coexpressed.size(); ++i)
    CHECK(fold.coexpressed[i].p_value == alone.coexpressed[i].p_value);
}

TEST_CASE("gene_selection: log-normalised input gives the genes of its counts") {
  const Sample d = sample();
  CpuContext ctx;
  SelectionOptions options = small_options();
  options.min_gene_total = 3;
  const Selection from_counts = select_genes(ctx, {d.counts, d.labels, d.types}, options);
  std::vector<std::int32_t> map(static_cast<std::size_t>(d.counts.cols), -1);
  for (const std::int64_t j : from_counts.genes) map[static_cast<std::size_t>(j)] = static_cast<std::int32_t>(j);
  std::vector<float> factor(static_cast<std::size_t>(d.counts.rows), 0);
  for (std::size_t i = 0; i < from_counts.cells.size(); ++i)
    factor[static_cast<std::size_t>(from_counts.cells[i])] =
        static_cast<float>(from_counts.target_sum / from_counts.cell_totals[i]);
  const CsrMatrix logs = normalised(d.counts, map, d.counts.cols, factor, Logarithm::yes);
  options.input = Recipe::InputKind::log_normalized;
  options.min_gene_total = 0;

  const Selection from_logs = select_genes(ctx, {logs, d.labels, d.types}, options);

  CHECK(from_logs.target_sum == 0);
  CHECK(from_logs.gene_share.empty());
  CHECK(from_logs.variable == from_counts.variable);
  CHECK(from_logs.features == from_counts.features);
}

TEST_CASE("gene_selection: scaled input, negative values and all, finds markers by difference of means") {
  CsrMatrix m;
  std::vector<std::int32_t> labels;
  const std::vector<double> noise = test::random_values(60 * 4, 3, -0.2, 0.2);
  for (std::int64_t i = 0; i < 60; ++i) {
    for (std::int32_t j = 0; j < 4; ++j) {
      const double signal = j < 2 ? (i % 2 == j ? 1.0 : -1.0) : 0.0;
      m.column.push_back(j);
      m.value.push_back(static_cast<float>(signal + noise[static_cast<std::size_t>(i * 4 + j)]));
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
    labels.push_back(static_cast<std::int32_t>(i % 2));
  }
  m.rows = 60;
  m.cols = 4;
  CpuContext ctx;
  SelectionOptions options;
  options.input = Recipe::InputKind::scaled;

  const Selection s = select_genes(ctx, {m, labels, {}}, options);

  REQUIRE(s.markers.size() == 2);
  CHECK(s.markers[0].gene == 0);
  CHECK(s.markers[1].gene == 1);
  CHECK(s.variable.size() == 4);
}

TEST_CASE("gene_selection: what is dropped is counted in sentences") {
  Sample d = sample();
  d.labels[3] = -1;
  d.types.push_back("rare");
  for (const std::size_t cell : {std::size_t{10}, std::size_t{20}}) d.labels[cell] = 4;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < d.counts.rows; ++i) rows.push_back(i);
  CsrMatrix with_empty = rows_of(d.counts, rows);
  with_empty.cols += 2;                                         // genes that are 0 everywhere
  with_empty.row_begin.push_back(with_empty.row_begin.back());  // a cell that is 0 everywhere
  with_empty.rows += 1;
  d.labels.push_back(0);
  CpuContext ctx;

  const Selection s = select_genes(ctx, {with_empty, d.labels, d.types}, small_options());

  CHECK(mentions(s.warnings, "left out 1 cell without a label"));
  CHECK(mentions(s.warnings, "dropped 1 cell type with fewer than 10 cells, 2 cells in all: rare (2)"));
  CHECK(mentions(s.warnings, "that no cell expresses"));
  CHECK(mentions(s.warnings, "dropped 1 cell without any value"));
  CHECK(s.types == std::vector<std::int32_t>{0, 1, 2, 3});
  for (const std::int64_t gone : {3, 10, 20, 240})
    CHECK_FALSE(std::binary_search(s.cells.begin(), s.cells.end(), gone));
}

TEST_CASE("gene_selection: the gene filter scales with the number of cells and the depth of sequencing") {
  SelectionOptions automatic, fixed;
  fixed.min_gene_total = 1000;

  CHECK(least_gene_total(automatic, 30, 1e5) == 3);
  CHECK(least_gene_total(automatic, 700, 5e5) == 35);
  CHECK(std::fabs(least_gene_total(automatic, 700, 1e7) - 100) < 1e-9);
  CHECK(least_gene_total(automatic, 700, 4e8) == 1000);
  CHECK(least_gene_total(automatic, 20000, 1e7) == 1000);
  CHECK(least_gene_total(automatic, 70000, 1e8) == 1000);
  CHECK(least_gene_total(fixed, 700, 5e5) == 1000);
}

TEST_CASE("gene_selection: refuses what leaves nothing to learn") {
  Sample d = sample();
  CpuContext ctx;
  const auto fails = [&](const SelectionOptions& o, const char* words) {
    CHECK_THROWS_WITH_AS(select_genes(ctx, {d.counts, d.labels, d.types}, o), doctest::Contains(words), RefusedError);
  };
  SelectionOptions o = small_options();

  o.min_cells_per_type = 1000;
  fails(o, "0 cell type(s) with at least 1000 cells");
  o = small_options();
  o.min_gene_total = 1e9;
  fails(o, "no gene is left");
  o = small_options();
  o.min_cell_total = 1e9;
  fails(o, "0 cell types are left");
  o = small_options();
  o.min_log2_fold_change = 1e9;
  fails(o, "no gene has a log2 fold change above 1e+09");
  for (std::int32_t& label : d.labels) label = 2;
  fails(small_options(), "1 cell type(s)");
}

TEST_CASE("gene_selection: names options out of range and labels that do not fit") {
  const Sample d = sample();
  CpuContext ctx;
  SelectionOptions o = small_options();
  const std::vector<std::int32_t> few(3, 0);

  o.variable_genes = 0;
  CHECK_THROWS_WITH_AS(select_genes(ctx, {d.counts, d.labels, d.types}, o), doctest::Contains("variable_genes is 0"),
                       UsageError);
  o = small_options();
  o.max_p_value = 2;
  CHECK_THROWS_WITH_AS(select_genes(ctx, {d.counts, d.labels, d.types}, o), doctest::Contains("max_p_value is 2"),
                       UsageError);
  CHECK_THROWS_WITH_AS(select_genes(ctx, {d.counts, few, d.types}, small_options()),
                       doctest::Contains("labels has 3 entries"), ShapeError);
}

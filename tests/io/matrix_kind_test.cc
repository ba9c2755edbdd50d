// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_kind.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "io/open_matrix.h"
#include "models/simulate.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

CsrMatrix simulated_counts() {
  ThreadPool pool(1);
  return simulate_cells({.cells = 200, .genes = 400, .density = 0.2, .seed = 11}, pool).counts;
}

// log of counts scaled to `sum` a row; `scale_of_log` 1 is natural, 1/ln 2 binary.
CsrMatrix normalised(CsrMatrix m, double sum, double scale_of_log) {
  for (std::int64_t i = 0; i < m.rows; ++i) {
    double total = 0;
    for (std::int64_t at = m.row_begin[i]; at < m.row_begin[i + 1]; ++at) total += m.value[at];
    for (std::int64_t at = m.row_begin[i]; at < m.row_begin[i + 1]; ++at) {
      m.value[at] = static_cast<float>(std::log1p(m.value[at] * sum / total) * scale_of_log);
    }
  }
  return m;
}

// Without the columns from `first` on.
CsrMatrix first_columns(const CsrMatrix& m, std::int32_t first) {
  CsrMatrix out;
  out.rows = m.rows;
  out.cols = first;
  for (std::int64_t i = 0; i < m.rows; ++i) {
    for (std::int64_t at = m.row_begin[i]; at < m.row_begin[i + 1]; ++at) {
      if (m.column[at] >= first) continue;
      out.column.push_back(m.column[at]);
      out.value.push_back(m.value[at]);
    }
    out.row_begin.push_back(static_cast<std::int64_t>(out.column.size()));
  }
  return out;
}

CsrMatrix full(std::int64_t rows, std::int64_t cols, const std::vector<float>& values) {
  CsrMatrix m;
  m.rows = rows;
  m.cols = cols;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < cols; ++j) m.column.push_back(static_cast<std::int32_t>(j));
    m.row_begin.push_back((i + 1) * cols);
  }
  m.value = values;
  return m;
}

}  // namespace

TEST_CASE("matrix_kind: whole numbers are counts") {
  const MatrixKindReport report = classify_matrix(simulated_counts());

  CHECK(report.kind == MatrixKind::counts);
  CHECK(contains(report.evidence, "whole numbers"));
  CHECK(report.rows == 200);
}

TEST_CASE("matrix_kind: equal sums tell the base of the logarithm") {
  const MatrixKindReport natural = classify_matrix(normalised(simulated_counts(), 1e4, 1));
  const MatrixKindReport binary = classify_matrix(normalised(simulated_counts(), 1e6, 1 / std::log(2.0)));

  CHECK(natural.kind == MatrixKind::log1p);
  CHECK(natural.base_told);
  CHECK(natural.row_sum == doctest::Approx(1e4).epsilon(1e-4));
  CHECK(binary.kind == MatrixKind::log2p1);
  CHECK(binary.row_sum == doctest::Approx(1e6).epsilon(1e-4));
}

TEST_CASE("matrix_kind: whole multiples tell the base where genes were left out") {
  const CsrMatrix natural = first_columns(normalised(simulated_counts(), 1e4, 1), 150);
  const CsrMatrix binary = first_columns(normalised(simulated_counts(), 1e4, 1 / std::log(2.0)), 150);

  CHECK(classify_matrix(natural).kind == MatrixKind::log1p);
  CHECK(classify_matrix(natural).base_told);
  CHECK(contains(classify_matrix(natural).evidence, "whole multiple"));
  CHECK(classify_matrix(binary).kind == MatrixKind::log2p1);
}

TEST_CASE("matrix_kind: the range alone is a logarithm whose base is not told") {
  const MatrixKindReport report = classify_matrix(full(2, 3, {3.2f, 7.1f, 9.9f, 4.4f, 8.05f, 12.3f}));

  CHECK(report.kind == MatrixKind::log1p);
  CHECK_FALSE(report.base_told);
  CHECK(report.least == doctest::Approx(3.2));
  CHECK(contains(report.evidence, "taken as natural"));
}

TEST_CASE("matrix_kind: negative fractions and values from 0 to 1 are scaled") {
  CHECK(classify_matrix(full(2, 2, {-1.5f, 0.2f, 1.3f, 0.1f})).kind == MatrixKind::scaled);
  CHECK(classify_matrix(full(2, 2, {0.5f, 0.2f, 1.0f, 0.1f})).kind == MatrixKind::scaled);
}

TEST_CASE("matrix_kind: negative whole numbers, large fractions and nothing are unknown") {
  CHECK(classify_matrix(full(2, 2, {5, 3, -1, 2})).kind == MatrixKind::unknown);
  CHECK(contains(classify_matrix(full(2, 2, {5, 3, -1, 2})).evidence, "1 of 4 non-zero values are negative"));
  CHECK(classify_matrix(full(2, 2, {5.5f, 300.25f, 12.5f, 0.1f})).kind == MatrixKind::unknown);
  CHECK(contains(classify_matrix(full(2, 2, {5.5f, 300.25f, 12.5f, 0.1f})).evidence, "not logarithms"));
  CsrMatrix zeros;
  zeros.rows = 1;
  zeros.cols = 3;
  zeros.row_begin = {0, 0};
  CHECK(classify_matrix(zeros).evidence == "all values are zero");
}

TEST_CASE("matrix_kind: NaN and infinite values are counted and do not decide") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();

  const MatrixKindReport report = classify_matrix(full(2, 2, {5, nan, infinite, 2}));

  CHECK(report.kind == MatrixKind::counts);
  CHECK(report.nan == 1);
  CHECK(report.infinite == 1);
  CHECK(contains(report.evidence, "1 NaN and 1 infinite"));
}

TEST_CASE("matrix_kind: the names are the words of --input-kind") {
  CHECK(std::string(name_of(MatrixKind::counts)) == "counts");
  CHECK(std::string(name_of(MatrixKind::log2p1)) == "log2p1");
}

TEST_CASE("matrix_kind: what the real data sets are") {
  const auto kind = [](const std::string& name, const ReadOptions& options = {}) -> std::string {
    const auto path = data_file(name);
    if (!path) return "skipped";
    const auto source = open_matrix(*path, options);
    const std::string found = name_of(classify_source(*source).kind);
    CsrMatrix first;
    CHECK(source->next(first, 1));  // rewound
    return found;
  };
  const auto is = [](const std::string& found, const std::string& wanted) {
    return found == "skipped" || found == wanted;
  };

  CHECK(is(kind("zheng68k_reduced.h5ad"), "scaled"));
  CHECK(is(kind("zheng68k_reduced.h5ad", {.matrix = "raw"}), "log1p"));
  CHECK(is(kind("zheng68k_counts_csr_int32.h5ad"), "counts"));
  CHECK(is(kind("fca_drosophila_gut_dense.h5ad"), "log1p"));
  CHECK(is(kind("islet_xin_log.h5ad"), "log2p1"));
  CHECK(is(kind("darmanis_brain_466_v07layout.h5ad"), "counts"));
  CHECK(is(kind("starmap_mouse_mpfc.loom"), "counts"));
  CHECK(is(kind("tcga_brca_520x2598.tsv.gz"), "scaled"));
  CHECK(is(kind("ahba_desikan_r0.6_82x1645.csv"), "scaled"));
}

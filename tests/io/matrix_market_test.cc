// SPDX-License-Identifier: Apache-2.0
#include "io/matrix_market.h"

#include <filesystem>
#include <numeric>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

const char* const kBanner = "%%MatrixMarket matrix coordinate integer general\n";

// Three genes by two cells: cell A = (5, 0, 2), cell B = (0, 1, 0).
const std::string kEntries = "3 2 3\n1 1 5\n3 1 2\n2 2 1\n";

std::string error_of(const std::string& path, const ReadOptions& options = {}) {
  return message_of<InputError>([&] { read_all(*open_matrix_market(path, options)); });
}

// A lone file, rows said to be genes.
std::string lone_error(const std::string& text) {
  TemporaryDirectory directory;
  write_text(directory.file("m.mtx"), text);
  return error_of(directory.file("m.mtx"), {.orientation = Orientation::genes_rows});
}

}  // namespace

TEST_CASE("matrix_market: Cell Ranger 3 directory keeps gene expression rows") {
  TemporaryDirectory directory;
  write_text(directory.file("matrix.mtx.gz"), gzip(kBanner + std::string("%metadata_json: {}\n") + kEntries));
  write_text(directory.file("features.tsv.gz"), gzip("E1\tActb\tGene Expression\nE2\tCD3\tAntibody Capture\n"
                                                     "E3\tGapdh\tGene Expression\n"));
  write_text(directory.file("barcodes.tsv.gz"), gzip("A\nB\n"));

  const auto source = open_matrix_market(directory.path(), {});
  const CsrMatrix matrix = read_all(*source);

  CHECK(source->cell_names() == std::vector<std::string>{"A", "B"});
  CHECK(source->gene_names() == std::vector<std::string>{"Actb", "Gapdh"});
  CHECK(std::get<Strings>(source->genes().find("id")->values) == Strings{"E1", "E3"});
  CHECK(dense(matrix) == std::vector<float>{5, 2, 0, 0});
  CHECK(matrix.nnz() == 2);
}

TEST_CASE("matrix_market: all feature types are kept when asked") {
  TemporaryDirectory directory;
  write_text(directory.file("matrix.mtx"), kBanner + kEntries);
  write_text(directory.file("features.tsv"), "E1\tActb\tGene Expression\nE2\tCD3\tAntibody Capture\nE3\tGapdh\tX\n");
  write_text(directory.file("barcodes.tsv"), "A\nB\n");

  const auto source = open_matrix_market(directory.path(), {.feature_type = ""});

  CHECK(dense(read_all(*source)) == std::vector<float>{5, 0, 2, 0, 1, 0});
}

TEST_CASE("matrix_market: a feature type that is not there is named with those that are") {
  TemporaryDirectory directory;
  write_text(directory.file("matrix.mtx"), kBanner + kEntries);
  write_text(directory.file("features.tsv"), "E1\ta\tPeaks\nE2\tb\tPeaks\nE3\tc\tPeaks\n");
  write_text(directory.file("barcodes.tsv"), "A\nB\n");

  const std::string message = error_of(directory.path());

  CHECK(contains(message, "'Gene Expression'"));
  CHECK(contains(message, "Peaks"));
}

TEST_CASE("matrix_market: Cell Ranger 2 names, a prefix and the matrix file as path") {
  TemporaryDirectory directory;
  write_text(directory.file("GSM1_matrix.mtx"), kBanner + kEntries);
  write_text(directory.file("GSM1_genes.tsv"), "E1\tActb\nE2\tCd3e\nE3\tGapdh\n");
  write_text(directory.file("GSM1_barcodes.tsv"), "A\r\nB\r\n");

  const auto source = open_matrix_market(directory.file("GSM1_matrix.mtx"), {});

  CHECK(source->gene_names() == std::vector<std::string>{"Actb", "Cd3e", "Gapdh"});
  CHECK(source->cell_names() == std::vector<std::string>{"A", "B"});
  CHECK(dense(read_all(*source)) == std::vector<float>{5, 0, 2, 0, 1, 0});
}

TEST_CASE("matrix_market: the lengths of the name files tell that rows are cells") {
  TemporaryDirectory directory;
  write_text(directory.file("cells_x_genes.mtx"), kBanner + kEntries);
  write_text(directory.file("cells_x_genes.genes.txt"), "g1\ng2\n");
  write_text(directory.file("cells_x_genes.barcodes.txt"), "A\nB\nC\n");

  const auto source = open_matrix_market(directory.path(), {});

  CHECK(source->rows() == 3);
  CHECK(source->cols() == 2);
  CHECK(dense(read_all(*source)) == std::vector<float>{5, 0, 0, 1, 2, 0});
  CHECK(contains(source->description(), "rows are cells"));
}

TEST_CASE("matrix_market: a lone file needs the orientation and gets names") {
  TemporaryDirectory directory;
  write_text(directory.file("m.mtx"), kBanner + kEntries);

  const auto source = open_matrix_market(directory.file("m.mtx"), {.orientation = Orientation::cells_rows});

  CHECK(contains(error_of(directory.file("m.mtx")), "--orientation"));
  CHECK(source->cell_names() == std::vector<std::string>{"cell_0", "cell_1", "cell_2"});
  CHECK(source->gene_names() == std::vector<std::string>{"gene_0", "gene_1"});
  CHECK(dense(read_all(*source)) == std::vector<float>{5, 0, 0, 1, 2, 0});
}

TEST_CASE("matrix_market: any order of entries, duplicates summed, zeros dropped") {
  TemporaryDirectory directory;
  write_text(directory.file("m.mtx"),
             "%%matrixmarket MATRIX coordinate real general\n%\n\n2 3 6\n"
             "2 3 1.5\n1 1 2\n2 1 4\n1 2 0\n2 3 0.25\n1 3 7\n");

  const auto source = open_matrix_market(directory.file("m.mtx"), {.orientation = Orientation::genes_rows});
  const CsrMatrix matrix = read_all(*source, 1);

  CHECK(matrix.row_begin == std::vector<std::int64_t>{0, 2, 2, 4});
  CHECK(matrix.column == std::vector<std::int32_t>{0, 1, 0, 1});
  CHECK(matrix.value == std::vector<float>{2, 4, 7, 1.75f});
}

TEST_CASE("matrix_market: pattern entries count one and rewind repeats") {
  TemporaryDirectory directory;
  write_text(directory.file("m.mtx"), "%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 1\n2 2\n");
  const auto source = open_matrix_market(directory.file("m.mtx"), {.orientation = Orientation::genes_rows});

  const CsrMatrix once = read_all(*source);
  source->rewind();
  const CsrMatrix again = read_all(*source);

  CHECK(dense(once) == std::vector<float>{1, 0, 0, 1});
  CHECK(dense(again) == dense(once));
}

TEST_CASE("matrix_market: the first cells only") {
  TemporaryDirectory directory;
  write_text(directory.file("m.mtx"), kBanner + kEntries);

  const auto source =
      open_matrix_market(directory.file("m.mtx"), {.orientation = Orientation::genes_rows, .limit_cells = 1});

  CHECK(source->rows() == 1);
  CHECK(dense(read_all(*source)) == std::vector<float>{5, 0, 2});
}

TEST_CASE("matrix_market: malformed entries are named with their line") {
  CHECK(contains(lone_error(kBanner + std::string("2 2 1\n3 1 1\n")), "line 3: entry (3, 1) is outside the 2 x 2"));
  CHECK(contains(lone_error(kBanner + std::string("2 2 1\n0 1 1\n")), "line 3: entry (0, 1) is outside"));
  CHECK(
      contains(lone_error(kBanner + std::string("2 2 1\n1 1 x\n")), "line 3: '1 1 x' is not row, column and a number"));
  CHECK(contains(lone_error(kBanner + std::string("2 2 1\n1 1\n")), "line 3: '1 1' is not"));
  CHECK(contains(lone_error(kBanner + std::string("2 2 1\n1 1 1 1\n")), "line 3: "));
  CHECK(contains(lone_error(kBanner + std::string("2 2 1\na b 1\n")), "does not start with two whole numbers"));
}

TEST_CASE("matrix_market: declared and found entries must agree") {
  CHECK(contains(lone_error(kBanner + std::string("2 2 3\n1 1 1\n")), "declares 3 entries and holds 1"));
  CHECK(contains(lone_error(kBanner + std::string("2 2 1\n1 1 1\n2 2 1\n")), "line 4: more entries than the 1"));
}

TEST_CASE("matrix_market: malformed headers are refused") {
  CHECK(contains(lone_error(""), "is empty"));
  CHECK(contains(lone_error("1 2 3\n"), "expected '%%MatrixMarket"));
  CHECK(contains(lone_error("%%MatrixMarket matrix array real general\n2 2\n"), "'matrix array real general'"));
  CHECK(contains(lone_error("%%MatrixMarket matrix coordinate real symmetric\n2 2 0\n"), "symmetric"));
  CHECK(contains(lone_error("%%MatrixMarket matrix coordinate complex general\n2 2 0\n"), "complex"));
  CHECK(contains(lone_error(kBanner), "ends before the size line"));
  CHECK(contains(lone_error(kBanner + std::string("2 2\n")), "not a size line"));
  CHECK(contains(lone_error(kBanner + std::string("2 99999999999999999999 1\n")), "not a size line"));
  CHECK(contains(lone_error(kBanner + std::string("-2 2 1\n")), "must be from 0"));
}

TEST_CASE("matrix_market: sizes that the bytes cannot bear out are refused before memory is taken") {
  CHECK(contains(lone_error(kBanner + std::string("2000000000 2 1\n1 1 1\n")), "declares 2000000000 x 2"));
  CHECK(contains(lone_error(kBanner + std::string("2 2000000000 1\n1 1 1\n")), "declares 2 x 2000000000"));
}

TEST_CASE("matrix_market: name files that do not fit are refused with the numbers") {
  TemporaryDirectory directory;
  write_text(directory.file("matrix.mtx"), kBanner + kEntries);
  write_text(directory.file("genes.tsv"), "E1\tActb\nE2\tCd3e\n");
  write_text(directory.file("barcodes.tsv"), "A\nB\n");

  CHECK(contains(error_of(directory.path()), "is 3 x 2, but the name files beside it have 2 features and 2 cells"));
  CHECK(contains(error_of(directory.path(), {.orientation = Orientation::genes_rows}),
                 "has 2 names, the matrix needs 3"));
}

TEST_CASE("matrix_market: directories with no or several matrices are listed") {
  TemporaryDirectory directory;
  write_text(directory.file("readme"), "x");
  CHECK(contains(error_of(directory.path()), "it holds: readme"));
  write_text(directory.file("a.mtx"), kBanner + kEntries);
  write_text(directory.file("b.mtx"), kBanner + kEntries);

  CHECK(contains(error_of(directory.path()), "holds 2 matrices: a.mtx, b.mtx"));
}

TEST_CASE("matrix_market: the description gives shape, entries and gene columns") {
  TemporaryDirectory directory;
  write_text(directory.file("matrix.mtx"), kBanner + kEntries);
  write_text(directory.file("genes.tsv"), "E1\tActb\nE2\tCd3e\nE3\tGapdh\n");
  write_text(directory.file("barcodes.tsv"), "A\nB\n");

  const FileInfo info = describe_matrix_market(directory.path(), {});

  REQUIRE(info.matrices.size() == 1);
  CHECK(info.matrices[0].rows == 2);
  CHECK(info.matrices[0].cols == 3);
  CHECK(info.matrices[0].stored_values == 3);
  CHECK(info.matrices[0].dtype == "integer");
  CHECK(info.gene_columns == std::vector<std::string>{"id", "name"});
}

// Figures by scipy.io.mmread of the same file, transposed, indices sorted. The weighted sum is over all entries of
// value * (column % 97).
TEST_CASE("matrix_market: the Tabula Muris directory") {
  const auto path = data_file("tabula_muris_immune_1000_10x");
  if (!path) return;

  const auto source = open_matrix_market(*path, {});
  const CsrMatrix matrix = read_all(*source, 100);

  CHECK(matrix.rows == 1000);
  CHECK(matrix.cols == 19371);
  CHECK(matrix.nnz() == 1459617);
  CHECK(std::accumulate(matrix.value.begin(), matrix.value.end(), 0.0) == 4971267);
  std::int64_t weighted = 0;
  for (std::size_t i = 0; i < matrix.value.size(); ++i) {
    weighted += static_cast<std::int64_t>(matrix.value[i]) * (matrix.column[i] % 97);
  }
  CHECK(weighted == 238060069);
  CHECK(std::vector<std::int64_t>(matrix.row_begin.begin(), matrix.row_begin.begin() + 5) ==
        std::vector<std::int64_t>{0, 1422, 2715, 3855, 6367});
  CHECK(std::vector<std::int32_t>(matrix.column.begin(), matrix.column.begin() + 5) ==
        std::vector<std::int32_t>{7, 13, 37, 48, 52});
  CHECK(source->cell_names().front() == "tma_mfd_1808");
  CHECK(source->gene_names()[2] == "Sox17");
}

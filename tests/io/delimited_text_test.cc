// SPDX-License-Identifier: Apache-2.0
#include "io/delimited_text.h"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "engine/error.h"
#include "io/matrix_market.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/peak_memory.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

using Names = std::vector<std::string>;

ReadOptions cells_rows() { return {.orientation = Orientation::cells_rows}; }
ReadOptions genes_rows() { return {.orientation = Orientation::genes_rows}; }

// The message for a table whose rows are cells.
std::string error_of(const std::string& text, const ReadOptions& options = cells_rows()) {
  TemporaryDirectory directory;
  write_text(directory.file("t.csv"), text);
  return message_of<InputError>([&] { read_all(*open_delimited(directory.file("t.csv"), options)); });
}

struct Table {
  Names cells, genes;
  std::vector<float> values;
  std::string description;
};

Table read_table(const std::string& text, const ReadOptions& options) {
  TemporaryDirectory directory;
  write_text(directory.file("t"), text);
  const auto source = open_delimited(directory.file("t"), options);
  return {source->cell_names(), source->gene_names(), dense(read_all(*source, 1)), source->description()};
}

double sum_of_numbers(const CsrMatrix& matrix) {
  double sum = 0;
  for (const float v : matrix.value) sum += std::isnan(v) ? 0.0 : v;
  return sum;
}

}  // namespace

TEST_CASE("delimited: cells in rows, quotes, CRLF, byte order mark") {
  const Table t = read_table(
      "\xEF\xBB\xBF"
      "\"\",\"g,1\",g2,g3\r\n\"a\",1,0,2.5\r\nb,\"0.0\",-3,0.0\r\n",
      cells_rows());

  CHECK(t.cells == Names{"a", "b"});
  CHECK(t.genes == Names{"g,1", "g2", "g3"});
  CHECK(t.values == std::vector<float>{1, 0, 2.5f, 0, -3, 0});
}

TEST_CASE("delimited: genes in rows are turned around") {
  const Table t = read_table("gene\ta\tb\nX\t1\t0\nY\t0\t0\nZ\t2\t3\n", genes_rows());

  CHECK(t.cells == Names{"a", "b"});
  CHECK(t.genes == Names{"X", "Y", "Z"});
  CHECK(t.values == std::vector<float>{1, 0, 2, 0, 0, 3});
}

TEST_CASE("delimited: a header without a field above the row names, as R writes it") {
  const Table t = read_table("g1 g2\na 1 2\nb 3 4\n", cells_rows());

  CHECK(t.genes == Names{"g1", "g2"});
  CHECK(t.cells == Names{"a", "b"});
  CHECK(t.values == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("delimited: semicolons, comments, empty lines and a delimiter at the end of lines") {
  const Table t = read_table("# made by hand\n\n;g1;g2;\na;1;2;\n\nb;3;4;\n", cells_rows());

  CHECK(t.genes == Names{"g1", "g2"});
  CHECK(t.values == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("delimited: names that are not UTF-8 are read as Latin-1") {
  const Table t = read_table(",\xB5g,g2\n\xE9,1,2\n", cells_rows());

  CHECK(t.genes == Names{"\xC2\xB5g", "g2"});
  CHECK(t.cells == Names{"\xC3\xA9"});
}

TEST_CASE("delimited: missing values are NaN") {
  const Table t = read_table(",g1,g2,g3,g4\na,NA,,NaN,1\n", cells_rows());

  REQUIRE(t.values.size() == 4);
  CHECK(std::isnan(t.values[0]));
  CHECK(std::isnan(t.values[1]));
  CHECK(std::isnan(t.values[2]));
}

TEST_CASE("delimited: the first cells only, in both orientations") {
  const ReadOptions one_cell_of_rows = {.orientation = Orientation::cells_rows, .limit_cells = 1};
  const ReadOptions one_cell_of_columns = {.orientation = Orientation::genes_rows, .limit_cells = 1};

  CHECK(read_table(",g1,g2\na,1,2\nb,3,4\n", one_cell_of_rows).values == std::vector<float>{1, 2});
  CHECK(read_table(",a,b\ng1,1,2\ng2,3,4\n", one_cell_of_columns).values == std::vector<float>{1, 3});
}

TEST_CASE("delimited: rewind repeats, whatever the block size") {
  TemporaryDirectory directory;
  write_text(directory.file("t.csv.gz"), gzip(",g1,g2\na,1,2\nb,3,0\nc,0,5\n"));
  const auto source = open_delimited(directory.file("t.csv.gz"), cells_rows());

  const CsrMatrix in_twos = read_all(*source, 2);
  source->rewind();
  const CsrMatrix at_once = read_all(*source, 100);

  CHECK(dense(in_twos) == std::vector<float>{1, 2, 3, 0, 0, 5});
  CHECK(dense(at_once) == dense(in_twos));
}

TEST_CASE("delimited: text where numbers belong is named with line and column") {
  const std::string in_cells = error_of(",g1,g2\na,1,2\nb,3,T cell\n");
  const std::string in_genes = error_of(",g1,g2\na,1,2\nb,x,4\n", genes_rows());

  CHECK(contains(in_cells, "line 3: column 3 ('g2'): 'T cell' is not a number"));
  CHECK(contains(in_genes, "line 3: column 2 ('g1'): 'x' is not a number"));
  CHECK(contains(error_of(",g1,g2\na,1e60,2\n"), "line 2: column 2 ('g1'): '1e60' is too large"));
}

TEST_CASE("delimited: ragged rows are named with line and counts") {
  CHECK(contains(error_of(",g1,g2\na,1,2\nb,3\n"), "line 3: 1 numbers, but the header names 2 columns"));
  CHECK(contains(error_of(",g1,g2\na,1,2\nb,3,4,5\n"), "line 3: 3 numbers, but the header names 2"));
  CHECK(contains(error_of(",g1,g2\na,1,2\nb\n"), "line 3: 0 numbers, but the header names 2"));
  CHECK(contains(error_of(",g1,g2\na,1,2,3,4\n"), "line 2: 5 fields, but the header has 3"));
}

TEST_CASE("delimited: files without a table are refused") {
  CHECK(contains(error_of(""), "is empty"));
  CHECK(contains(error_of("\n\n"), "is empty"));
  CHECK(contains(error_of(",g1,g2\n"), "a header and no rows"));
  CHECK(contains(error_of("1,0,0\n0,2,1\n"), "the first line is numbers"));
  CHECK(contains(error_of("a\nb\nc\n"), "a single column"));
  CHECK(contains(error_of(",g1,\"g2\na,1,2\n"), "line 1: a quote that is not closed"));
}

TEST_CASE("delimited: the label file tells the orientation") {
  TemporaryDirectory directory;
  write_text(directory.file("t.csv"), ",p,q\nx,1,2\ny,3,4\nz,5,6\n");
  write_text(directory.file("columns.tsv"), "p\tT\nq\tB\n");
  write_text(directory.file("rows.tsv"), "x\tT\ny\tB\n");

  const auto genes_first = open_delimited(directory.file("t.csv"), {.labels_file = directory.file("columns.tsv")});
  const auto cells_first = open_delimited(directory.file("t.csv"), {.labels_file = directory.file("rows.tsv")});

  CHECK(genes_first->cell_names() == Names{"p", "q"});
  CHECK(contains(genes_first->description(), "rows are genes: the label file names 2 of the columns"));
  CHECK(cells_first->cell_names() == Names{"x", "y", "z"});
}

TEST_CASE("delimited: the corner field, gene names and cell names tell the orientation") {
  const ReadOptions automatic;

  CHECK(read_table("Symbol,p,q\nx,1,2\n", automatic).cells == Names{"p", "q"});
  CHECK(read_table("barcode,p,q\nx,1,2\n", automatic).cells == Names{"x"});
  CHECK(read_table(",p,q\nENSG00000141510.17,1,2\n", automatic).cells == Names{"p", "q"});
  CHECK(read_table(",GAPDH,q\nx,1,2\n", automatic).cells == Names{"x"});
  CHECK(read_table(",AAACCTGAGCACAGGT-1,AAACCTGAGCACAGGA-1\nx,1,2\n", automatic).genes == Names{"x"});
  CHECK(read_table(",gene_1,gene_2\ncell_1,1,2\n", automatic).cells == Names{"cell_1"});
}

TEST_CASE("delimited: where nothing tells the orientation it must be given") {
  const std::string message = error_of(",p,q\nx,1,2\n", {});

  CHECK(contains(message, "--orientation"));
}

TEST_CASE("delimited: the shape tells where the names do not") {
  std::string text = ",p,q\n";
  for (int i = 0; i < 8000; ++i) text += fmt::format("n{},1,0\n", i);

  const Table t = read_table(text, {});

  CHECK(t.genes.size() == 8000);
  CHECK(contains(t.description, "8000 rows and 2 columns"));
}

TEST_CASE("delimited: the description counts rows without reading numbers") {
  TemporaryDirectory directory;
  write_text(directory.file("t.csv"), "gene,a,b\nX,1,0\nY,0,oops\nZ,2,3\n");

  const FileInfo info = describe_delimited(directory.file("t.csv"), {});

  REQUIRE(info.matrices.size() == 1);
  CHECK(info.matrices[0].rows == 2);
  CHECK(info.matrices[0].cols == 3);
  CHECK(info.matrices[0].storage == "text");
  CHECK(contains(info.layout, "rows are genes"));
}

// 76,533 cells of 141 genes, a quarter of the numbers not zero: the dense table would be 43 MB as floats.
TEST_CASE("delimited: memory stays within twice the CSR and 64 MB in both orientations") {
  constexpr std::int64_t kCells = 76533;
  constexpr std::int64_t kGenes = 141;
  TemporaryDirectory directory;
  const auto write_table = [&](const std::string& path, std::int64_t rows, std::int64_t columns) {
    fmt::memory_buffer text;
    for (std::int64_t j = 0; j < columns; ++j) fmt::format_to(std::back_inserter(text), "\tn{}", j);
    for (std::int64_t i = 0; i < rows; ++i) {
      fmt::format_to(std::back_inserter(text), "\nr{}", i);
      for (std::int64_t j = 0; j < columns; ++j) {
        fmt::format_to(std::back_inserter(text), "\t{}", (i + j) % 4 == 0 ? (i + 3 * j) % 7 + 1 : 0);
      }
    }
    write_text(path, fmt::to_string(text));
  };
  write_table(directory.file("cells.tsv"), kCells, kGenes);
  write_table(directory.file("genes.tsv"), kGenes, kCells);
  constexpr std::int64_t kStored = (kCells * kGenes + 3) / 4;
  constexpr std::int64_t kAllowed = 2 * 8 * kStored + (64 << 20);
  const auto stored = [&](const std::string& path, const ReadOptions& options) {
    const auto source = open_delimited(path, options);
    std::int64_t count = 0;
    for (CsrMatrix block; source->next(block, 256);) count += block.nnz();
    return count;
  };
  std::int64_t by_cells = 0;
  std::int64_t by_genes = 0;

  const auto peak_by_cells = peak_growth([&] { by_cells = stored(directory.file("cells.tsv"), cells_rows()); });
  const auto peak_by_genes = peak_growth([&] { by_genes = stored(directory.file("genes.tsv"), genes_rows()); });

  CHECK(by_cells == by_genes);
  CHECK(std::abs(by_cells - kStored) <= 1);
  if (peak_by_cells) CHECK(*peak_by_cells < kAllowed);
  if (peak_by_genes) CHECK(*peak_by_genes < kAllowed);
}

TEST_CASE("delimited: the Tabula Muris csv equals its 10x directory and its h5ad") {
  const auto csv = data_file("tabula_muris_immune_1000.csv.gz");
  const auto directory = data_file("tabula_muris_immune_1000_10x");
  const auto h5ad = data_file("tabula_muris_immune_1000.h5ad");
  if (!csv || !directory || !h5ad) return;

  const auto from_csv = open_delimited(*csv, {});
  const auto from_directory = open_matrix_market(*directory, {});
  const CsrMatrix a = read_all(*from_csv, 77);
  const CsrMatrix b = read_all(*from_directory, 500);

  CHECK(from_csv->cell_names() == from_directory->cell_names());
  CHECK(from_csv->gene_names() == from_directory->gene_names());
  CHECK(a.nnz() == 1459617);
  CHECK(a.row_begin == b.row_begin);
  CHECK(a.column == b.column);
  CHECK(a.value == b.value);
  const auto from_h5ad = open_matrix(*h5ad);
  const CsrMatrix c = read_all(*from_h5ad, 33);
  CHECK(from_h5ad->cell_names() == from_csv->cell_names());
  CHECK(from_h5ad->gene_names() == from_csv->gene_names());
  CHECK(a.row_begin == c.row_begin);
  CHECK(a.column == c.column);
  CHECK(a.value == c.value);
}

// Figures of the next two cases by pandas.read_csv, values as float32, summed as float64.
TEST_CASE("delimited: the TCGA table has samples in columns") {
  const auto path = data_file("tcga_brca_520x2598.tsv.gz");
  if (!path) return;

  const auto source = open_delimited(*path, {});
  const CsrMatrix matrix = read_all(*source);

  CHECK(matrix.rows == 520);
  CHECK(matrix.cols == 2598);
  CHECK(matrix.nnz() == 1350842);
  CHECK(sum_of_numbers(matrix) == doctest::Approx(20595.699835769377).epsilon(1e-12));
  CHECK(matrix.value[1] == 0.232167f);
  CHECK(matrix.value.back() == -0.4845f);
  CHECK(source->gene_names().front() == "127550");
}

TEST_CASE("delimited: rows of missing values alone are left out, counted and named") {
  TemporaryDirectory folder;
  write_text(folder.file("t.csv"), "label,g1,g2\nR_x,NaN,NaN\na,1,NA\nR_y,,na\nb,3,4\nR_z,NA,\n");
  const auto source = open_delimited(folder.file("t.csv"), cells_rows());

  const CsrMatrix first = read_all(*source, 1);
  source->rewind();
  const CsrMatrix again = read_all(*source, 1);

  CHECK(source->cell_names() == std::vector<std::string>{"a", "b"});
  REQUIRE(source->warnings().size() == 1);
  CHECK(contains(source->warnings()[0], "3 of 5 rows hold nothing but missing values and are left out"));
  CHECK(contains(source->warnings()[0], "the first of them 'R_x'"));
  REQUIRE(first.value.size() == 4);
  CHECK(first.value[0] == 1);
  CHECK(std::isnan(first.value[1]));
  CHECK(first.value[3] == 4);
  CHECK(again.rows == 2);
  CHECK(again.value[2] == 3);
}

TEST_CASE("delimited: a table of missing values alone is refused") {
  TemporaryDirectory folder;
  write_text(folder.file("t.csv"), "label,g1,g2\na,NaN,NaN\n");

  CHECK(contains(message_of<InputError>([&] { open_delimited(folder.file("t.csv"), cells_rows()); }), "all 1 rows"));
}

TEST_CASE("delimited: the brain region tables have regions in rows, the missing ones left out") {
  const auto desikan = data_file("ahba_desikan_r0.6_82x1645.csv"), glasser = data_file("ahba_glasser360_r0.6.csv");
  if (!desikan || !glasser) return;

  const auto source = open_delimited(*desikan, {}), other = open_delimited(*glasser, {});
  const CsrMatrix matrix = read_all(*source), small = read_all(*other);

  CHECK(matrix.rows == 80);
  CHECK(matrix.cols == 1645);
  CHECK(matrix.nnz() == 134889 - 3290);
  CHECK(std::count_if(matrix.value.begin(), matrix.value.end(), [](float v) { return std::isnan(v); }) == 0);
  CHECK(sum_of_numbers(matrix) == doctest::Approx(71882.0608472644).epsilon(1e-12));
  CHECK(source->cell_names().front() == "L_bankssts");
  CHECK(contains(source->warnings().at(0), "2 of 82 rows"));
  CHECK(small.rows == 374 - 63);
  CHECK(small.cols == 268);
  CHECK(std::count_if(small.value.begin(), small.value.end(), [](float v) { return std::isnan(v); }) == 0);
  CHECK(contains(other->warnings().at(0), "63 of 374 rows"));
}

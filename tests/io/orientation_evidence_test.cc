// SPDX-License-Identifier: Apache-2.0
#include "io/orientation_evidence.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace genexx;

namespace {

using Names = std::vector<std::string>;

RowsAre rows_are(const std::string& corner, const Names& columns, const Names& rows,
                 const LabelFile* labels = nullptr) {
  return tell_orientation({.corner = corner, .columns = &columns, .rows = &rows, .labels = labels}).rows_are;
}

}  // namespace

TEST_CASE("orientation: labels come before the corner, the corner before the names") {
  const LabelFile labels = {"l.tsv", {"p"}, {"T"}};

  CHECK(rows_are("cell", {"p", "q"}, {"GAPDH"}, &labels) == RowsAre::genes);
  CHECK(rows_are("cell", {"p", "q"}, {"GAPDH"}) == RowsAre::cells);
  CHECK(rows_are("", {"p", "q"}, {"GAPDH"}) == RowsAre::genes);
}

TEST_CASE("orientation: labels that name neither side do not decide") {
  const LabelFile labels = {"l.tsv", {"other"}, {"T"}};

  CHECK(rows_are("", {"p"}, {"x"}, &labels) == RowsAre::unknown);
}

TEST_CASE("orientation: corner words in any case") {
  CHECK(rows_are("Gene_Symbol", {"p"}, {"x"}) == RowsAre::genes);
  CHECK(rows_are("BARCODES", {"p"}, {"x"}) == RowsAre::cells);
  CHECK(rows_are("index", {"p"}, {"x"}) == RowsAre::unknown);
}

TEST_CASE("orientation: names that only genes have") {
  CHECK(rows_are("", {"p"}, {"ENSMUSG00000064370"}) == RowsAre::genes);
  CHECK(rows_are("", {"p"}, {"FBgn0031208"}) == RowsAre::genes);
  CHECK(rows_are("", {"mt-Nd1"}, {"x"}) == RowsAre::cells);
  CHECK(rows_are("", {"1700001C02Rik"}, {"x"}) == RowsAre::cells);
  CHECK(rows_are("", {"RPL13A"}, {"x"}) == RowsAre::cells);
}

TEST_CASE("orientation: names that only cells have") {
  CHECK(rows_are("", {"10X_P4_0_AAACCTGAGATTACCC"}, {"x"}) == RowsAre::genes);
  CHECK(rows_are("", {"TCGA-AO-A03P-01A"}, {"x"}) == RowsAre::genes);
  CHECK(rows_are("", {"p"}, {"GSM1657871"}) == RowsAre::cells);
  CHECK(rows_are("", {"p"}, {"tma_mfd_1808"}) == RowsAre::cells);
  CHECK(rows_are("", {"p"}, {"Cell7"}) == RowsAre::cells);
}

TEST_CASE("orientation: both sides alike tell nothing") {
  CHECK(rows_are("", {"GAPDH", "ACTB"}, {"CD3E", "CD4"}) == RowsAre::unknown);
}

TEST_CASE("orientation: a few telling names among many decide, a single one in a hundred does not") {
  Names columns;
  for (int i = 0; i < 100; ++i) columns.push_back(fmt::format("n{}", i));
  columns[5] = "GAPDH";
  CHECK(rows_are("", columns, {"x"}) == RowsAre::unknown);
  for (int i = 10; i < 16; ++i) columns[i] = fmt::format("RPS{}", i);

  CHECK(rows_are("", columns, {"x"}) == RowsAre::cells);
}

TEST_CASE("orientation: the shape speaks last and only where one side is as long as a genome") {
  const Names genome(20000, "n");

  CHECK(rows_are("", {"p", "q"}, genome) == RowsAre::genes);
  CHECK(rows_are("", genome, {"p", "q"}) == RowsAre::cells);
  CHECK(rows_are("", genome, genome) == RowsAre::unknown);
  const Names columns = {"p"};
  CHECK(tell_orientation_by_names({.columns = &columns, .rows = &genome}).rows_are == RowsAre::unknown);
}

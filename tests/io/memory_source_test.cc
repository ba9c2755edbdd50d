// SPDX-License-Identifier: Apache-2.0
#include "io/memory_source.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/csr_transposer.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

Annotations names(std::vector<std::string> cells, std::vector<std::string> genes) {
  Annotations annotations;
  annotations.cell_names = std::move(cells);
  annotations.gene_names = std::move(genes);
  return annotations;
}

}  // namespace

TEST_CASE("memory_source: the matrix is loaded at the first block and once") {
  int loads = 0;
  MemorySource source(names({"a", "b", "c"}, {"x", "y"}), [&] {
    ++loads;
    CsrMatrix m;
    m.rows = 3;
    m.cols = 2;
    m.row_begin = {0, 1, 1, 3};
    m.column = {1, 0, 1};
    m.value = {5, 6, 7};
    return m;
  });
  CHECK(loads == 0);

  const CsrMatrix once = read_all(source, 2);
  source.rewind();
  const CsrMatrix again = read_all(source, 1);

  CHECK(loads == 1);
  CHECK(dense(once) == std::vector<float>{0, 5, 0, 0, 6, 7});
  CHECK(dense(again) == dense(once));
}

TEST_CASE("memory_source: a matrix of another shape than its names is refused") {
  MemorySource source(names({"a"}, {"x", "y"}), [] { return CsrMatrix{}; });

  CHECK(contains(message_of<InputError>([&] { read_all(source); }), "the matrix is 0 x 0, its names say 1 x 2"));
}

TEST_CASE("tidy_rows: sorts, sums duplicates in order, drops zeros and keeps NaN") {
  CsrMatrix m;
  m.rows = 3;
  m.cols = 4;
  m.row_begin = {0, 5, 5, 8};
  m.column = {3, 1, 3, 0, 2, 2, 2, 0};
  m.value = {1, 0, 2, 4, std::numeric_limits<float>::quiet_NaN(), 5, -5, 9};

  tidy_rows(m);

  CHECK(m.row_begin == std::vector<std::int64_t>{0, 3, 3, 4});
  CHECK(m.column == std::vector<std::int32_t>{0, 2, 3, 0});
  CHECK(m.value[0] == 4);
  CHECK(std::isnan(m.value[1]));
  CHECK(m.value[2] == 3);
  CHECK(m.value[3] == 9);
}

TEST_CASE("csr_transposer: genes without entries, cells without entries, any cell order") {
  CsrTransposer transposer(4);
  transposer.end_gene();
  transposer.add(3, 30);
  transposer.add(0, 1);
  transposer.end_gene();
  transposer.end_gene();
  transposer.add(0, 2);
  transposer.end_gene();
  transposer.end_gene();

  const CsrMatrix m = transposer.finish();

  CHECK(m.rows == 4);
  CHECK(m.cols == 5);
  CHECK(m.row_begin == std::vector<std::int64_t>{0, 2, 2, 2, 3});
  CHECK(m.column == std::vector<std::int32_t>{1, 3, 1});
  CHECK(m.value == std::vector<float>{1, 2, 30});
}

TEST_CASE("csr_transposer: lists longer than one chunk keep their order") {
  constexpr std::int64_t kCells = 50000;
  CsrTransposer transposer(kCells);
  for (std::int64_t gene = 0; gene < 7; ++gene) {
    for (std::int64_t cell = kCells; cell-- > 0;) transposer.add(cell, static_cast<float>(gene * kCells + cell));
    transposer.end_gene();
  }

  const CsrMatrix m = transposer.finish();

  REQUIRE(m.nnz() == 7 * kCells);
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < m.nnz(); ++i) {
    wrong += m.column[i] != i % 7 || m.value[i] != static_cast<float>(i % 7 * kCells + i / 7);
  }
  CHECK(wrong == 0);
}

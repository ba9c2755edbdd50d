// SPDX-License-Identifier: Apache-2.0
#include "models/cell_types.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

TEST_CASE("cell_types: small types and cells without one are left out and counted, in one sentence each") {
  const std::vector<std::int32_t> labels = {0, 0, 1, -1, 2, 2, 2, -1};
  const std::vector<std::string> names = {"B cell", "mast", "T cell"};

  const KeptCells kept = keep_large_types(labels, names, {}, 2);

  CHECK(kept.cells == std::vector<std::int64_t>{0, 1, 4, 5, 6});
  CHECK(kept.types == std::vector<std::int32_t>{0, 2});
  CHECK(kept.warnings ==
        std::vector<std::string>{"left out 2 cells without a label",
                                 "dropped 1 cell type with fewer than 2 cells, 1 cell in all: mast (1)"});
}

TEST_CASE("cell_types: a type is judged by the cells that are asked about") {
  const std::vector<std::int32_t> labels = {0, 0, 1, 1, 0};
  const std::vector<std::int64_t> cells = {0, 2, 3};

  const KeptCells kept = keep_large_types(labels, {}, cells, 2);

  CHECK(kept.cells == std::vector<std::int64_t>{2, 3});
  CHECK(kept.types == std::vector<std::int32_t>{1});
  CHECK(kept.warnings.back() == "dropped 1 cell type with fewer than 2 cells, 1 cell in all: type 0 (1)");
}

TEST_CASE("cell_types: classes of a run are numbered without the small ones") {
  const std::vector<std::string> labels = {"c", "a", "", "c", "b", "a"};

  const ClassTable table = make_classes(labels, 2);

  CHECK(table.names == std::vector<std::string>{"a", "c"});
  CHECK(table.codes == std::vector<std::int32_t>{1, 0, -1, 1, -1, 0});
  CHECK(table.warnings.size() == 2);
}

TEST_CASE("cell_types: one class is no training set, and the message names it") {
  const std::vector<std::string> labels = {"T cell", "T cell", "B cell"};

  CHECK_THROWS_WITH_AS(make_classes(labels, 2), doctest::Contains("found 1 ('T cell'); check --label"), RefusedError);
}

// SPDX-License-Identifier: Apache-2.0
#include "io/table.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/matrix_source.h"

using namespace genexx;

TEST_CASE("table: numbers become labels in ascending order, whole ones without a fraction, NaN missing") {
  const Column column{"Y", Numbers{{10.0, 2.0, std::nan(""), 2.0, 0.5}}};

  const Categorical labels = as_categorical(column);

  CHECK(labels.categories == Strings{"0.5", "2", "10"});
  CHECK(labels.codes == std::vector<std::int32_t>{2, 1, -1, 1, 0});
  CHECK(category_counts(labels) == std::vector<std::int64_t>{1, 2, 1});
}

TEST_CASE("table: booleans become the labels False and True") {
  const Column column{"doublet", Numbers{{1.0, 0.0, 1.0}, NumberKind::boolean}};

  const Categorical labels = as_categorical(column);

  CHECK(labels.categories == Strings{"False", "True"});
  CHECK(labels.codes == std::vector<std::int32_t>{1, 0, 1});
}

TEST_CASE("table: strings become sorted labels and the empty string is missing") {
  const Column column{"type", Strings{"T cell", "", "B cell", "T cell"}};

  const Categorical labels = as_categorical(column);

  CHECK(labels.categories == Strings{"B cell", "T cell"});
  CHECK(labels.codes == std::vector<std::int32_t>{1, -1, 0, 1});
}

TEST_CASE("table: truncation shortens every kind of column") {
  ObsTable table{{{"s", Strings{"a", "b", "c"}}, {"c", Categorical{{0, -1, 0}, {"x"}}}, {"n", Numbers{{1, 2, 3}}}}};

  truncate_rows(table, 2);

  CHECK(row_count(table.columns[0]) == 2);
  CHECK(row_count(table.columns[1]) == 2);
  CHECK(row_count(table.columns[2]) == 2);
  CHECK(table.find("c") == &table.columns[1]);
  CHECK(table.find("missing") == nullptr);
}

namespace {

struct EmptySource : MatrixSource {
  explicit EmptySource(Annotations a) : MatrixSource(std::move(a)) {}
  bool next(CsrMatrix&, std::int64_t) override { return false; }
  void rewind() override {}
};

}  // namespace

TEST_CASE("matrix_source: refuses a cell column of the wrong length") {
  EmptySource source({.cell_names = {"a", "b"}, .gene_names = {"g"}});

  CHECK_THROWS_AS(source.set_cell_column({"label", Strings{"x"}}), InputError);
  source.set_cell_column({"label", Strings{"x", "y"}});
  source.set_cell_column({"label", Strings{"z", "y"}});

  REQUIRE(source.cells().columns.size() == 1);
  CHECK(std::get<Strings>(source.cells().columns[0].values)[0] == "z");
}

TEST_CASE("matrix_source: takes gene names from a column and names the columns when it is absent") {
  EmptySource source({.gene_names = {"A", "B"}, .genes = {{{"id", Strings{"ENSG1", "ENSG2"}}}}});

  source.use_gene_column("id");

  CHECK(source.gene_names() == Strings{"ENSG1", "ENSG2"});
  CHECK_THROWS_WITH_AS(source.use_gene_column("symbol"),
                       "There is no gene column 'symbol'. The gene table has: id. Try --gene-column with one of these, "
                       "or leave it out.",
                       RefusedError);
}

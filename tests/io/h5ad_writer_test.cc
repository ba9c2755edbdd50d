// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad_writer.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/philox.h"
#include "io/hdf5_sparse.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/python.h"

using namespace genexx;
using genexx::test::FileSizeLimit;
using genexx::test::run_python;
using genexx::test::TemporaryDirectory;

namespace {

// 3 cells by 4 genes with every kind of column.
void write_example(const std::string& path) {
  H5adWriter writer(path);
  ObsTable cells;
  cells.columns = {{"type", Categorical{{1, -1, 0}, {"A", "B"}}},
                   {"donor", Strings{"x", "y", "x"}},
                   {"score", Numbers{{0.5, std::nan(""), 1.5}}},
                   {"count", Numbers{{7, 8, 9}, NumberKind::integer}},
                   {"age", Numbers{{30, std::nan(""), 50}, NumberKind::integer}},
                   {"flag", Numbers{{1, 0, 1}, NumberKind::boolean}},
                   {"maybe", Numbers{{1, std::nan(""), 0}, NumberKind::boolean}},
                   {"with/slash", Strings{"a", "b", "c"}}};
  writer.write_cells({"c0", "c1", "c2"}, cells);
  writer.write_genes({"g0", "g1", "g2", "g3"}, {});
  writer.write_matrix(CsrMatrix{3, 4, {0, 2, 3, 6}, {0, 2, 3, 0, 1, 3}, {1, 2, 3, 4, 5, 6}});
  writer.write_obsm("X_embedding", {1, 2, 3, 4, 5, 6}, 2);
  writer.write_uns("genexx/type/classes", {"A", "B"});
  writer.commit();
}

// Rows of a matrix of any size, the same for the same seed.
CsrMatrix random_matrix(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  CsrMatrix m;
  m.rows = rows;
  m.cols = cols;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) {
      const PhiloxCounter word =
          philox(philox_key(seed, 0), {static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(c)});
      if (word.x % 5 != 0) continue;
      m.column.push_back(static_cast<std::int32_t>(c));
      m.value.push_back(static_cast<float>(word.y % 1000 + 1));
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
  }
  return m;
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> names(const char* prefix, std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(prefix + std::to_string(i));
  return out;
}

}  // namespace

TEST_CASE("h5ad_writer: what is written is read back, columns of every kind included") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("example.h5ad");
  write_example(path);
  const auto source = open_matrix(path);
  const ObsTable& cells = source->cells();
  const CsrMatrix matrix = read_all(*source);

  CHECK(matrix.row_begin == std::vector<std::int64_t>{0, 2, 3, 6});
  CHECK(matrix.column == std::vector<std::int32_t>{0, 2, 3, 0, 1, 3});
  CHECK(matrix.value == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(source->cell_names() == Strings{"c0", "c1", "c2"});
  CHECK(std::get<Categorical>(cells.find("type")->values).codes == std::vector<std::int32_t>{1, -1, 0});
  CHECK(std::get<Strings>(cells.find("donor")->values) == Strings{"x", "y", "x"});
  CHECK(std::get<Numbers>(cells.find("count")->values).kind == NumberKind::integer);
  CHECK(std::isnan(std::get<Numbers>(cells.find("age")->values).values[1]));
  CHECK(std::get<Numbers>(cells.find("age")->values).values[2] == 50);
  CHECK(std::get<Numbers>(cells.find("maybe")->values).kind == NumberKind::boolean);
  CHECK(cells.find("with_slash") != nullptr);
  CHECK(cells.unread.empty());
}

TEST_CASE("h5ad_writer: equal content gives equal bytes") {
  const TemporaryDirectory directory;
  write_example(directory.file("once.h5ad"));
  write_example(directory.file("again.h5ad"));

  CHECK(bytes_of(directory.file("once.h5ad")) == bytes_of(directory.file("again.h5ad")));
}

TEST_CASE("h5ad_writer: row blocks of any size give one matrix, compressed or not") {
  const TemporaryDirectory directory;
  const CsrMatrix matrix = random_matrix(3001, 500, 7);
  REQUIRE(matrix.nnz() > 4 * 65536);  // several chunks, the last one not full
  for (const int level : {0, 1, 6}) {
    const std::string path = directory.file("blocks.h5ad");
    H5adWriter writer(path, {.gzip_level = level, .threads = 2});
    writer.write_cells(names("c", 3001), {});
    writer.write_genes(names("g", 500), {});
    writer.begin_matrix(500);
    for (std::int64_t row = 0, step = 1; row < 3001; row += step, step = 2 * step + 1) {
      step = std::min(step, 3001 - row);
      CsrMatrix block;
      hdf5::copy_rows(matrix, row, step, block);
      writer.append_rows(block);
    }
    writer.commit();

    const CsrMatrix read = read_all(*open_matrix(path));
    CHECK(read.row_begin == matrix.row_begin);
    CHECK(read.column == matrix.column);
    CHECK(read.value == matrix.value);
  }
}

TEST_CASE("h5ad_writer: a dense matrix and an empty one") {
  const TemporaryDirectory directory;
  H5adWriter dense(directory.file("dense.h5ad"));
  dense.write_cells({"a", "b"}, {});
  dense.write_genes({"x", "y", "z"}, {});
  dense.write_dense_matrix({1, 0, 2, 0, 0, 3}, 3);
  dense.commit();
  H5adWriter empty(directory.file("empty.h5ad"));
  empty.write_cells({"a"}, {});
  empty.write_genes({"x", "y"}, {});
  empty.write_matrix(CsrMatrix{1, 2, {0, 0}, {}, {}});
  empty.commit();

  CHECK(read_all(*open_matrix(directory.file("dense.h5ad"))).value == std::vector<float>{1, 2, 3});
  CHECK(read_all(*open_matrix(directory.file("empty.h5ad"))).nnz() == 0);
}

TEST_CASE("h5ad_writer: lengths that do not agree are refused and leave no file") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("wrong.h5ad");
  {
    H5adWriter writer(path);
    writer.write_cells({"a", "b"}, {});
    writer.write_genes({"x"}, {});
    writer.write_matrix(CsrMatrix{1, 1, {0, 1}, {0}, {1}});
    CHECK_THROWS_WITH_AS(writer.commit(), doctest::Contains("X has 1 rows, obs has 2"), UsageError);
  }
  {
    H5adWriter writer(path);
    writer.write_cells({"a", "b"}, {});
    CHECK_THROWS_AS(writer.write_obsm("E", {1, 2, 3}, 2), UsageError);
    CHECK_THROWS_AS(writer.write_genes({"x"}, ObsTable{{{"n", Strings{"1"}}, {"n", Strings{"2"}}}}), UsageError);
    CHECK_THROWS_AS(writer.commit(), UsageError);
  }

  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("h5ad_writer: a full disk gives an error and no file, whenever it is full") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("full.h5ad");
  const CsrMatrix matrix = random_matrix(500, 500, 3);
  int refused = 0;
  for (rlim_t limit = 100; limit < 400000; limit = limit * 3 / 2) {
    const FileSizeLimit full(limit);
    try {
      H5adWriter writer(path, {.gzip_level = 0});
      writer.write_cells(names("c", 500), {});
      writer.write_genes(names("g", 500), {});
      writer.write_matrix(matrix);
      writer.commit();
    } catch (const RuntimeError& error) {
      INFO(error.what());
      CHECK(std::string(error.what()).find("cannot write " + path) == 0);
      CHECK(std::string(error.what()).find("ulimit -f") != std::string::npos);
      ++refused;
    }
  }

  CHECK(refused == 21);
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("h5ad_writer: a directory that is not there is named") {
  CHECK_THROWS_WITH_AS(H5adWriter("/nonexistent/out.h5ad"), doctest::Contains("/nonexistent"), RuntimeError);
}

TEST_CASE("h5ad_writer: 5000 columns fit") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("wide.h5ad");
  ObsTable cells;
  for (int i = 0; i < 5000; ++i) cells.columns.push_back({"column_" + std::to_string(i), Numbers{{1.0 * i}}});
  H5adWriter writer(path);
  writer.write_cells({"only"}, cells);
  writer.write_genes({"g"}, {});
  writer.write_matrix(CsrMatrix{1, 1, {0, 1}, {0}, {1}});
  writer.commit();
  const auto source = open_matrix(path);

  REQUIRE(source->cells().columns.size() == 5000);
  CHECK(source->cells().columns[4999].name == "column_4999");
  CHECK(std::get<Numbers>(source->cells().columns[4999].values).values[0] == 4999);
}

TEST_CASE("h5ad_writer: anndata reads what was written") {
  const TemporaryDirectory directory;
  write_example(directory.file("example.h5ad"));
  H5adWriter dense(directory.file("dense.h5ad"), {.gzip_level = 1});
  dense.write_cells({"a", "b"}, {});
  dense.write_genes({"x", "y", "z"}, {});
  dense.write_dense_matrix({1, 0, 2, 0, 0, 3}, 3);
  dense.commit();
  const CsrMatrix matrix = random_matrix(400, 1000, 11);
  H5adWriter wide(directory.file("wide.h5ad"));
  wide.write_cells(names("c", 400), {});
  wide.write_genes(names("g", 1000), {});
  wide.begin_matrix(1000);  // no bound: 64-bit indices
  wide.append_rows(matrix);
  wide.commit();
  double sum = 0;
  for (const float value : matrix.value) sum += value;

  const auto run = run_python("anndata, numpy as np, pandas as pd", R"(
d = sys.argv[1]
a = anndata.read_h5ad(d + '/example.h5ad')
assert a.X.toarray().tolist() == [[1, 0, 2, 0], [0, 0, 0, 3], [4, 5, 0, 6]], a.X.toarray()
assert list(a.obs_names) == ['c0', 'c1', 'c2'] and list(a.var_names) == ['g0', 'g1', 'g2', 'g3']
assert list(a.obs.columns) == ['type', 'donor', 'score', 'count', 'age', 'flag', 'maybe', 'with_slash']
assert list(a.obs['type'].cat.categories) == ['A', 'B'] and list(a.obs['type'].cat.codes) == [1, -1, 0]
assert not a.obs['type'].cat.ordered
assert list(a.obs['donor']) == ['x', 'y', 'x']
assert a.obs['score'].tolist()[::2] == [0.5, 1.5] and np.isnan(a.obs['score'].iloc[1])
assert a.obs['count'].dtype == np.int64 and a.obs['count'].tolist() == [7, 8, 9]
assert a.obs['age'].isna().tolist() == [False, True, False] and a.obs['age'].iloc[2] == 50
assert a.obs['flag'].dtype == bool and a.obs['flag'].tolist() == [True, False, True]
assert a.obs['maybe'].isna().tolist() == [False, True, False]
assert a.obsm['X_embedding'].tolist() == [[1, 2], [3, 4], [5, 6]] and a.obsm['X_embedding'].dtype == np.float32
assert list(a.uns['genexx']['type']['classes']) == ['A', 'B']
assert anndata.read_h5ad(d + '/dense.h5ad').X.tolist() == [[1, 0, 2], [0, 0, 3]]
w = anndata.read_h5ad(d + '/wide.h5ad')
print('sum', w.X.sum(dtype=np.float64), w.X.nnz, w.X.indices.dtype)
w[:10, w.var_names[5:50]].copy().write_h5ad(d + '/again.h5ad')
assert anndata.read_h5ad(d + '/again.h5ad').shape == (10, 45)
)",
                              directory.path());
  if (!run.ran) return;
  INFO(run.output);

  CHECK(run.status == 0);
  CHECK(run.output.find("sum " + std::to_string(static_cast<long>(sum)) + ".0 " + std::to_string(matrix.nnz())) !=
        std::string::npos);
}

// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad.h"

#include <cmath>
#include <functional>
#include <limits>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/file_info.h"
#include "io/open_matrix.h"
#include "io/value_check.h"
#include "tests/support/data.h"
#include "tests/support/hdf5_file.h"

using namespace genexx;
using genexx::test::DatasetForm;
using genexx::test::Hdf5File;
using genexx::test::TemporaryDirectory;

namespace {

using Values = std::vector<float>;
using Columns = std::vector<std::int32_t>;
using Offsets = std::vector<std::int64_t>;

// The small valid file (see tests/support/hdf5_file.h) after `change`, opened.
struct Changed {
  TemporaryDirectory directory;
  std::string path = directory.file("changed.h5ad");

  explicit Changed(const std::function<void(Hdf5File&)>& change) {
    Hdf5File file(path);
    write_small_h5ad(file);
    change(file);
  }
  std::unique_ptr<MatrixSource> open(const ReadOptions& options = {}) const { return open_matrix(path, options); }
};

DatasetForm stored_as(hid_t file_type) {
  DatasetForm form;
  form.file_type = file_type;
  return form;
}

void check_small_matrix(const CsrMatrix& matrix) {
  CHECK(matrix.rows == 3);
  CHECK(matrix.cols == 4);
  CHECK(matrix.row_begin == Offsets{0, 2, 3, 6});
  CHECK(matrix.column == Columns{0, 2, 3, 0, 1, 3});
  CHECK(matrix.value == Values{1, 2, 3, 4, 5, 6});
}

void replace_data(Hdf5File& file, hid_t type) {
  file.remove("/X/data");
  file.doubles("/X/data", {1, 2, 3, 4, 5, 6}, stored_as(type));
}

void replace_indices(Hdf5File& file, hid_t type) {
  file.remove("/X/indices");
  file.integers("/X/indices", {0, 2, 3, 0, 1, 3}, stored_as(type));
  file.remove("/X/indptr");
  file.integers("/X/indptr", {0, 2, 3, 6}, stored_as(type));
}

}  // namespace

TEST_CASE("h5ad: reads a CSR matrix, its names and its labels") {
  const Changed file([](Hdf5File&) {});
  const auto source = file.open();

  check_small_matrix(read_all(*source));
  CHECK(source->cell_names() == Strings{"c0", "c1", "c2"});
  CHECK(source->gene_names() == Strings{"g0", "g1", "g2", "g3"});
  const auto& labels = std::get<Categorical>(source->cells().find("type")->values);
  CHECK(labels.codes == std::vector<std::int32_t>{1, 0, 1});
  CHECK(labels.categories == Strings{"A", "B"});
  CHECK(source->description() == "X (the main matrix; csr float32, 3 cells x 4 genes)");
}

TEST_CASE("h5ad: values of every number type") {
  for (const hid_t type :
       {H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE,
        H5T_STD_U64LE, H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_STD_I32BE, H5T_IEEE_F64BE}) {
    const Changed file([&](Hdf5File& f) { replace_data(f, type); });
    check_small_matrix(read_all(*file.open()));
  }
}

TEST_CASE("h5ad: values in half precision") {
  const Changed file([](Hdf5File& f) {
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    f.remove("/X/data");
    f.doubles("/X/data",
              {1, -2.5, 65504, 6.103515625e-5, 5.9604644775390625e-8, std::numeric_limits<double>::infinity()},
              stored_as(half));
    H5Tclose(half);
  });

  CHECK(read_all(*file.open()).value ==
        Values{1.0f, -2.5f, 65504.0f, 6.103515625e-5f, 5.9604644775390625e-8f, std::numeric_limits<float>::infinity()});
}

TEST_CASE("h5ad: indices of every width, signed or not") {
  for (const hid_t type : {H5T_STD_I8LE, H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_I32LE, H5T_STD_U32LE, H5T_STD_I64LE,
                           H5T_STD_U64LE, H5T_STD_I64BE}) {
    const Changed file([&](Hdf5File& f) { replace_indices(f, type); });
    check_small_matrix(read_all(*file.open()));
  }
}

TEST_CASE("h5ad: rows are sorted, duplicates summed and zeros dropped") {
  const Changed file([](Hdf5File& f) {
    f.remove("/X");
    f.doubles("/X/data", {2, 1, 0, 5, -5, 7, 0.5, 0.25});
    f.integers("/X/indices", {3, 1, 0, 2, 2, 2, 1, 1});
    f.integers("/X/indptr", {0, 3, 5, 8});
    f.encoding("/X", "csr_matrix", "0.1.0");
    f.attribute("/X", "shape", std::vector<std::int64_t>{3, 4});
  });
  const CsrMatrix matrix = read_all(*file.open());

  CHECK(matrix.row_begin == Offsets{0, 2, 2, 4});
  CHECK(matrix.column == Columns{1, 3, 1, 2});
  CHECK(matrix.value == Values{1, 2, 0.75f, 7});
}

TEST_CASE("h5ad: a CSC matrix comes out as the CSR of the same values, duplicates summed") {
  const Changed file([](Hdf5File& f) {
    f.remove("/X");
    f.doubles("/X/data", {1, 4, 5, 1.5, 0.5, 3, 6, 0});
    f.integers("/X/indices", {0, 2, 2, 0, 0, 1, 2, 0});
    f.integers("/X/indptr", {0, 2, 3, 5, 8});
    f.encoding("/X", "csc_matrix", "0.1.0");
    f.attribute("/X", "shape", std::vector<std::int64_t>{3, 4});
  });

  check_small_matrix(read_all(*file.open()));
}

TEST_CASE("h5ad: dense matrices of every chunk shape and filter give the same rows") {
  const std::vector<double> dense{1, 0, 2, 0, 0, 0, 0, 3, 4, 5, 0, 6};
  for (const std::vector<hsize_t>& chunk :
       std::vector<std::vector<hsize_t>>{{}, {3, 4}, {1, 4}, {2, 3}, {3, 1}, {2, 2}, {1, 1}}) {
    for (const int filters : {0, 1, 2, 3}) {
      const Changed file([&](Hdf5File& f) {
        DatasetForm form;
        form.shape = {3, 4};
        form.chunk = chunk;
        form.deflate = !chunk.empty() && filters > 0;
        form.shuffle = !chunk.empty() && filters > 1;
        form.fletcher32 = !chunk.empty() && filters > 2;
        f.remove("/X");
        f.doubles("/X", dense, form);
      });
      check_small_matrix(read_all(*file.open()));
    }
  }
}

TEST_CASE("h5ad: a chunk that was never written holds the fill value") {
  const Changed file([](Hdf5File& f) {
    f.remove("/X");
    const hsize_t extents[2] = {3, 4};
    const hsize_t chunk[2] = {2, 4};
    const float fill = 2.5f;
    const hid_t space = H5Screate_simple(2, extents, nullptr);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, chunk);
    H5Pset_fill_value(plist, H5T_NATIVE_FLOAT, &fill);
    H5Dclose(H5Dcreate2(f.id(), "/X", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
    H5Pclose(plist);
    H5Sclose(space);
  });

  CHECK(read_all(*file.open()).value == Values(12, 2.5f));
}

TEST_CASE("h5ad: raw with its own genes, layers, and raw where X is null") {
  const Changed file([](Hdf5File& f) {
    f.doubles("/raw/X", {1, 2, 3, 4, 5, 6}, {.shape = {3, 2}});
    f.strings("/raw/var/_index", {"r0", "r1"});
    f.encoding("/raw/var", "dataframe", "0.2.0");
    f.attribute("/raw/var", "_index", std::string("_index"));
    f.attribute("/raw/var", "column-order", std::vector<std::string>{});
    f.doubles("/layers/scaled", std::vector<double>(12, -1.0), {.shape = {3, 4}});
    f.remove("/X");
    const hid_t space = H5Screate(H5S_NULL);
    H5Dclose(H5Dcreate2(f.id(), "/X", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    f.encoding("/X", "null", "0.1.0");
  });
  const auto by_default = file.open();
  const auto layer = file.open({.matrix = "layers/scaled"});

  CHECK(by_default->gene_names() == Strings{"r0", "r1"});
  CHECK(by_default->description() == "raw (because X is absent; dense float64, 3 cells x 2 genes)");
  CHECK(read_all(*by_default).value == Values{1, 2, 3, 4, 5, 6});
  CHECK(read_all(*layer).value == Values(12, -1.0f));
  const FileInfo info = describe_file(file.path);
  REQUIRE(info.matrices.size() == 2);
  CHECK(info.matrices[0].name == "raw");
  CHECK(info.matrices[0].cols == 2);
  CHECK(info.matrices[1].name == "layers/scaled");
}

TEST_CASE("h5ad: an index of the kind nullable-string-array") {
  const Changed file([](Hdf5File& f) {
    f.remove("/var/_index");
    f.strings("/var/_index/values", {"n0", "n1", "n2", "n3"});
    f.booleans("/var/_index/mask", {0, 0, 1, 0});
    f.encoding("/var/_index", "nullable-string-array", "0.1.0");
  });

  CHECK(file.open()->gene_names() == Strings{"n0", "n1", "", "n3"});
}

TEST_CASE("h5ad: numeric, boolean, nullable, string and unknown columns") {
  const Changed file([](Hdf5File& f) {
    f.integers("/obs/count", {7, 8, 9});
    f.booleans("/obs/doublet", {1, 0, 1});
    f.doubles("/obs/score", {0.5, std::nan(""), 1.5});
    f.strings("/obs/donor", {"x", "y", "x"});
    f.integers("/obs/age/values", {30, 40, 50});
    f.booleans("/obs/age/mask", {0, 1, 0});
    f.encoding("/obs/age", "nullable-integer", "0.1.0");
    f.booleans("/obs/flag/values", {1, 1, 0});
    f.booleans("/obs/flag/mask", {0, 1, 0});
    f.encoding("/obs/flag", "nullable-boolean", "0.1.0");
    f.group("/obs/ragged");
    f.encoding("/obs/ragged", "awkward-array", "0.1.0");
    f.doubles("/obs/later", {1, 2, 3});
    f.encoding("/obs/later", "array", "9.0.0");
    f.attribute("/obs", "column-order",
                std::vector<std::string>{"count", "doublet", "score", "donor", "age", "flag", "ragged", "later"});
  });
  const auto source = file.open();
  const ObsTable& cells = source->cells();
  const auto numbers = [&](const char* name) { return std::get<Numbers>(cells.find(name)->values); };

  CHECK(numbers("count").values == std::vector<double>{7, 8, 9});
  CHECK(numbers("count").kind == NumberKind::integer);
  CHECK(numbers("doublet").kind == NumberKind::boolean);
  CHECK(std::isnan(numbers("score").values[1]));
  CHECK(std::get<Strings>(cells.find("donor")->values) == Strings{"x", "y", "x"});
  CHECK(std::isnan(numbers("age").values[1]));
  CHECK(numbers("age").values[2] == 50);
  CHECK(std::isnan(numbers("flag").values[1]));
  CHECK(numbers("flag").kind == NumberKind::boolean);
  REQUIRE(cells.unread.size() == 2);
  CHECK(cells.unread[0].name == "ragged");
  CHECK(cells.unread[0].reason == "its encoding is 'awkward-array' version '0.1.0'");
  CHECK(cells.unread[1].name == "later");
  CHECK(cells.unread[1].reason == "its encoding is 'array' version '9.0.0'");
}

TEST_CASE("h5ad: categories that are numbers, and a missing code") {
  const Changed file([](Hdf5File& f) {
    f.remove("/obs/type");
    f.integers("/obs/type/codes", {1, -1, 0}, stored_as(H5T_STD_I16LE));
    f.integers("/obs/type/categories", {10, 20});
    f.encoding("/obs/type", "categorical", "0.2.0");
  });
  const auto source = file.open();
  const auto& labels = std::get<Categorical>(source->cells().find("type")->values);

  CHECK(labels.codes == std::vector<std::int32_t>{1, -1, 0});
  CHECK(labels.categories == Strings{"10", "20"});
}

TEST_CASE("h5ad: the layout of 0.7, with categories behind an object reference") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("v07.h5ad");
  {
    Hdf5File file(path);
    file.doubles("/X", {1, 2}, {.shape = {2, 1}});
    file.strings("/obs/index", {"a", "b"});
    file.integers("/obs/kind", {1, 0}, stored_as(H5T_STD_I8LE));
    file.fixed_strings("/obs/__categories/kind", {"left", "right"}, 8);
    file.reference_attribute("/obs/kind", "categories", "/obs/__categories/kind");
    file.encoding("/obs", "dataframe", "0.1.0");
    file.attribute("/obs", "_index", std::string("index"));
    file.attribute("/obs", "column-order", std::vector<std::string>{"kind"});
    file.strings("/var/index", {"g"});
    file.encoding("/var", "dataframe", "0.1.0");
    file.attribute("/var", "_index", std::string("index"));
    file.attribute("/var", "column-order", std::vector<std::string>{});
  }
  const auto source = open_matrix(path);
  const auto& labels = std::get<Categorical>(source->cells().find("kind")->values);

  CHECK(describe_file(path).layout == "AnnData 0.7");
  CHECK(labels.categories == Strings{"left", "right"});
  CHECK(labels.codes == std::vector<std::int32_t>{1, 0});
  CHECK(read_all(*source).value == Values{1, 2});
}

TEST_CASE("h5ad: NaN, infinite and negative values are passed on and found by the check") {
  const Changed file([](Hdf5File& f) {
    f.remove("/X/data");
    f.doubles("/X/data", {1, 2, 3, -4, std::nan(""), 6});
  });
  const auto source = file.open();
  CsrMatrix block;
  REQUIRE(source->next(block, 2));
  CHECK_NOTHROW(check_values(block, 0, *source, ValueRule::non_negative));
  REQUIRE(source->next(block, 2));

  CHECK_THROWS_WITH_AS(check_values(block, 2, *source, ValueRule::non_negative),
                       doctest::Contains("cell 'c2' (row 2) and gene 'g0' (column 0) is -4, expected a count"),
                       RefusedError);
  CHECK_THROWS_WITH_AS(check_values(block, 2, *source, ValueRule::finite),
                       doctest::Contains("cell 'c2' (row 2) and gene 'g1' (column 1) is nan, expected a finite number"),
                       RefusedError);
}

TEST_CASE("h5ad: a gene column takes the place of the gene names") {
  const Changed file([](Hdf5File& f) {
    f.strings("/var/id", {"E0", "E1", "E2", "E3"});
    f.attribute("/var", "column-order", std::vector<std::string>{"id"});
  });

  CHECK(file.open({.gene_column = "id"})->gene_names() == Strings{"E0", "E1", "E2", "E3"});
  CHECK_THROWS_AS(file.open({.gene_column = "symbol"}), RefusedError);
}

TEST_CASE("h5ad: a matrix that cannot be read is listed with its problem") {
  const Changed file([](Hdf5File& f) {
    f.group("/layers/strange");
    f.encoding("/layers/strange", "bsr_matrix", "0.1.0");
  });
  const FileInfo info = describe_file(file.path);

  REQUIRE(info.matrices.size() == 2);
  CHECK(info.matrices[0].problem == "");
  CHECK(info.matrices[1].name == "layers/strange");
  CHECK(info.matrices[1].problem.find("has encoding 'bsr_matrix'") != std::string::npos);
}

TEST_CASE("h5ad: an empty selection of cells and an empty matrix give no block") {
  const Changed file([](Hdf5File&) {});
  const auto source = file.open({.limit_cells = 0});
  CsrMatrix block;

  CHECK(source->rows() == 0);
  CHECK(!source->next(block, 10));
}

TEST_CASE("h5ad: the newest HDF5 layout, behind a user block, with attributes in and out of the object header") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("newest.h5ad");
  {
    Hdf5File file(path, Hdf5File::Mode::newest);
    write_small_h5ad(file);
    file.strings("/var/id", {"E0", "E1", "E2", std::string(100000, 'x')},
                 {.chunk = {3}, .shuffle = true, .deflate = true});
    file.attribute("/var", "column-order", std::vector<std::string>{"id"});
    for (int i = 0; i < 20; ++i) file.attribute("/obs", "extra_" + std::to_string(i), std::string("text"));
  }
  const auto source = open_matrix(path);

  check_small_matrix(read_all(*source));
  CHECK(source->cell_names() == Strings{"c0", "c1", "c2"});
  CHECK(std::get<Categorical>(source->cells().find("type")->values).categories == Strings{"A", "B"});
  CHECK(std::get<Strings>(source->genes().find("id")->values)[3] == std::string(100000, 'x'));
  CHECK(std::get<Strings>(source->genes().find("id")->values)[2] == "E2");
}

TEST_CASE("h5ad: many attributes fill several blocks of an object header") {
  const Changed file([](Hdf5File& f) {
    for (int i = 0; i < 50; ++i) f.attribute("/obs", "extra_" + std::to_string(i), std::string("text"));
    f.attribute("/obs", "column-order", std::vector<std::string>{"type"});
  });

  CHECK(file.open()->cells().columns.size() == 1);
}

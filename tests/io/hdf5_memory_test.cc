// SPDX-License-Identifier: Apache-2.0
// Peak memory of the readers: at most twice the CSR, 64 MB, and one decompressed chunk where a filter forces it.
#include <algorithm>
#include <functional>

#include <doctest/doctest.h>

#include "io/h5ad_writer.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/peak_memory.h"

using namespace genexx;
using genexx::test::data_file;
using genexx::test::Hdf5File;
using genexx::test::peak_growth;
using genexx::test::TemporaryDirectory;

namespace {

constexpr std::int64_t kMegabyte = 1 << 20;

struct DenseForm {
  hsize_t rows, cols, chunk_rows, chunk_cols;
};

// About one value in twenty is not zero; the value depends on its place.
float value_at(std::int64_t row, std::int64_t col) {
  std::uint32_t mixed = static_cast<std::uint32_t>(row) * 73856093u ^ static_cast<std::uint32_t>(col) * 19349663u;
  mixed = (mixed ^ mixed >> 13) * 0x5BD1E995u;
  mixed ^= mixed >> 15;
  return mixed % 20 == 0 ? static_cast<float>(mixed >> 8 & 0x3FF) + 1.0f : 0.0f;
}

// Writes a dense float32 X, gzip, band by band so that the test itself stays small.
void write_dense_file(const std::string& path, const DenseForm& form) {
  const Hdf5File file(path);
  const hsize_t extents[2] = {form.rows, form.cols};
  const hsize_t chunk[2] = {form.chunk_rows, form.chunk_cols};
  const hid_t space = H5Screate_simple(2, extents, nullptr);
  const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(plist, 2, chunk);
  H5Pset_deflate(plist, 1);
  const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 521, std::size_t{300} * kMegabyte, 1.0);
  const hid_t set = H5Dcreate2(file.id(), "/X", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, access);
  std::vector<float> band;
  for (hsize_t row = 0; row < form.rows; row += 1000) {
    const hsize_t start[2] = {row, 0};
    const hsize_t count[2] = {std::min<hsize_t>(1000, form.rows - row), form.cols};
    band.clear();
    for (hsize_t r = 0; r < count[0]; ++r) {
      for (hsize_t c = 0; c < form.cols; ++c)
        band.push_back(value_at(static_cast<std::int64_t>(row + r), static_cast<std::int64_t>(c)));
    }
    const hid_t memory = H5Screate_simple(2, count, nullptr);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr);
    H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, band.data());
    H5Sclose(memory);
  }
  H5Dclose(set);
  H5Pclose(access);
  H5Pclose(plist);
  H5Sclose(space);
}

// Reads in blocks and checks every value against value_at.
std::int64_t wrong_places(MatrixSource& source) {
  std::int64_t wrong = 0;
  std::int64_t row = 0;
  CsrMatrix block;
  while (source.next(block, 512)) {
    for (std::int64_t r = 0; r < block.rows; ++r, ++row) {
      auto i = block.row_begin[r];
      for (std::int64_t c = 0; c < block.cols; ++c) {
        const bool stored = i < block.row_begin[r + 1] && block.column[i] == c;
        wrong += (stored ? block.value[i] : 0.0f) != value_at(row, c);
        i += stored ? 1 : 0;
      }
    }
  }
  return wrong + (row == source.rows() ? 0 : 1);
}

struct Reading {
  CsrMatrix matrix;
  std::optional<std::int64_t> peak;
};

Reading read_measured(const std::string& path) {
  Reading reading;
  reading.peak = peak_growth([&] { reading.matrix = read_all(*open_matrix(path)); });
  return reading;
}

std::int64_t csr_bytes(const CsrMatrix& m) { return 8 * (m.nnz() + m.rows + 1); }

void check_peak(const Reading& reading, std::int64_t chunk_bytes) {
  if (!reading.peak) return;
  INFO("peak " << *reading.peak / kMegabyte << " MB, CSR " << csr_bytes(reading.matrix) / kMegabyte << " MB, chunk "
               << chunk_bytes / kMegabyte << " MB");
  CHECK(*reading.peak <= 2 * csr_bytes(reading.matrix) + 64 * kMegabyte + chunk_bytes);
}

}  // namespace

TEST_CASE("hdf5 memory: a real matrix in one chunk of 174 MB") {
  const auto path = data_file("mouse_bladder_2100_xy.h5");
  if (!path) return;
  const Reading reading = read_measured(*path);

  CHECK(reading.matrix.nnz() == 2214875);
  check_peak(reading, std::int64_t{2100} * 20670 * 4);
}

TEST_CASE("hdf5 memory: a dense table of 76533 x 141 in one chunk") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("table.h5");
  write_dense_file(path, {76533, 141, 76533, 141});
  const Reading reading = read_measured(path);

  CHECK(reading.matrix.rows == 76533);
  check_peak(reading, std::int64_t{76533} * 141 * 4);
  CHECK(wrong_places(*open_matrix(path)) == 0);
}

TEST_CASE("hdf5 memory: chunks of single columns, whose band is the whole table") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("columns.h5");
  write_dense_file(path, {60000, 141, 60000, 1});
  const Reading reading = read_measured(path);

  check_peak(reading, 0);
  CHECK(wrong_places(*open_matrix(path)) == 0);
}

namespace {

// 6000 x 5000, every fourth value.
CsrMatrix large_matrix() {
  CsrMatrix m;
  m.rows = 6000;
  m.cols = 5000;
  for (std::int64_t r = 0; r < m.rows; ++r) {
    for (std::int64_t c = r % 4; c < m.cols; c += 4) {
      m.column.push_back(static_cast<std::int32_t>(c));
      m.value.push_back(static_cast<float>((r + c) % 50 + 1));
    }
    m.row_begin.push_back(static_cast<std::int64_t>(m.column.size()));
  }
  return m;
}

void write_large(const std::string& path, const CsrMatrix& matrix) {
  Strings cells, genes;
  for (int i = 0; i < 6000; ++i) cells.push_back("c" + std::to_string(i));
  for (int i = 0; i < 5000; ++i) genes.push_back("g" + std::to_string(i));
  H5adWriter writer(path, {.gzip_level = 1});
  writer.write_cells(cells, {});
  writer.write_genes(genes, {});
  writer.write_matrix(matrix);
  writer.commit();
}

// The vectors of a CSR, called CSC, are the transposed matrix.
void call_it_csc(const std::string& path) {
  Hdf5File file(path, Hdf5File::Mode::edit);
  H5Lmove(file.id(), "/obs", file.id(), "/swap", H5P_DEFAULT, H5P_DEFAULT);
  H5Lmove(file.id(), "/var", file.id(), "/obs", H5P_DEFAULT, H5P_DEFAULT);
  H5Lmove(file.id(), "/swap", file.id(), "/var", H5P_DEFAULT, H5P_DEFAULT);
  file.encoding("/X", "csc_matrix", "0.1.0");
  file.attribute("/X", "shape", std::vector<std::int64_t>{5000, 6000});
}

}  // namespace

TEST_CASE("hdf5 memory: a CSR of 60 MB") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("csr.h5ad");
  const CsrMatrix matrix = large_matrix();
  write_large(path, matrix);
  const Reading reading = read_measured(path);

  CHECK(reading.matrix.value == matrix.value);
  CHECK(reading.matrix.column == matrix.column);
  check_peak(reading, 0);
}

TEST_CASE("hdf5 memory: a CSC of 60 MB") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("csc.h5ad");
  write_large(path, large_matrix());
  call_it_csc(path);
  const Reading reading = read_measured(path);

  CHECK(reading.matrix.rows == 5000);
  CHECK(reading.matrix.nnz() == 7500000);
  CHECK(reading.matrix.column[1] == 4);
  check_peak(reading, 0);
}

// SPDX-License-Identifier: Apache-2.0
// Files that are damaged or mean harm: each is refused with one InputError that names file, HDF5 path and cause.
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "io/open_matrix.h"
#include "tests/support/data.h"
#include "tests/support/hdf5_file.h"

using namespace genexx;
using genexx::test::Hdf5File;
using genexx::test::TemporaryDirectory;

namespace {

// The message of the InputError that opening and reading all rows throws; "" when nothing is thrown.
std::string refusal(const std::string& path, const ReadOptions& options = {}) {
  try {
    const auto source = open_matrix(path, options);
    read_all(*source);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// The message for the small valid file after `spoil` changed it.
std::string refusal_of(const std::function<void(Hdf5File&)>& spoil, const ReadOptions& options = {}) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.h5ad");
  Hdf5File file(path);
  write_small_h5ad(file);
  spoil(file);
  file.close();
  return refusal(path, options);
}

bool says(const std::string& message, const std::string& part) {
  INFO("message: " << message);
  CHECK(message.find("hostile.h5ad") != std::string::npos);
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("hostile hdf5: the unspoiled file is read") {
  CHECK(refusal_of([](Hdf5File&) {}) == "");
}

TEST_CASE("hostile hdf5: a missing file, an empty one and a text that is no table are named") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.h5ad");

  CHECK(says(refusal(path), "cannot open the file"));
  std::ofstream(path).close();
  CHECK(says(refusal(path), "is empty"));
  std::ofstream(path) << "\x01\x02\x03 binary";
  CHECK(says(refusal(path), "binary file of a kind we do not know"));
}

TEST_CASE("hostile hdf5: a truncated file is called truncated") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.h5ad");
  Hdf5File file(path);
  write_small_h5ad(file);
  file.close();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) * 2 / 3);

  CHECK(says(refusal(path), "truncated"));
}

TEST_CASE("hostile hdf5: every truncation of a file is refused without a crash") {
  const TemporaryDirectory directory;
  const std::string whole = directory.file("whole.h5ad");
  Hdf5File file(whole);
  write_small_h5ad(file);
  file.close();
  const auto size = std::filesystem::file_size(whole);
  const std::string path = directory.file("hostile.h5ad");

  int refused = 0;
  int cuts = 0;
  for (std::uintmax_t keep = 8; keep < size; keep += 397, ++cuts) {
    std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path, keep);
    refused += refusal(path).empty() ? 0 : 1;
  }

  CHECK(cuts > 20);
  CHECK(refused == cuts);
}

TEST_CASE("hostile hdf5: an unknown kind of HDF5 file lists its root") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.h5ad");
  Hdf5File file(path);
  file.integers("/measurements", {1, 2, 3});
  file.close();

  CHECK(says(refusal(path), "Its root holds: measurements"));
}

TEST_CASE("hostile hdf5: wrong encoding versions are named") {
  CHECK(says(refusal_of([](Hdf5File& f) { f.attribute("/", "encoding-version", std::string("7.0.0")); }),
             "/: has version '7.0.0' of the encoding 'anndata', expected 0.1.0"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.attribute("/X", "encoding-version", std::string("9.9.9")); }),
             "/X: has version '9.9.9' of the encoding 'csr_matrix'"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.attribute("/obs", "encoding-version", std::string("1.0")); }),
             "/obs: has version '1.0' of the encoding 'dataframe'"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.attribute("/X", "encoding-type", std::string("bsr_matrix")); }),
             "/X: has encoding 'bsr_matrix'"));
}

TEST_CASE("hostile hdf5: indptr must start at 0, never decrease and end with the number of values") {
  const auto with_indptr = [](const std::vector<std::int64_t>& indptr) {
    return refusal_of([&](Hdf5File& f) {
      f.remove("/X/indptr");
      f.integers("/X/indptr", indptr);
    });
  };

  CHECK(says(with_indptr({0, 4, 3, 6}), "/X/indptr: decreases: element 2 is 3 after 4"));
  CHECK(says(with_indptr({1, 2, 3, 6}), "/X/indptr: begins with 1, expected 0"));
  CHECK(says(with_indptr({0, 2, 3, 7}), "/X/indptr: ends with 7, expected 6"));
  CHECK(says(with_indptr({0, 2, 6}), "/X/indptr: has 3 elements, expected 4"));
  CHECK(says(with_indptr({0, 2, 3, 5}), "/X/indptr: ends with 5, expected 6"));
}

TEST_CASE("hostile hdf5: an index out of range is named with its row") {
  const auto with_indices = [](const std::vector<std::int64_t>& indices) {
    return refusal_of([&](Hdf5File& f) {
      f.remove("/X/indices");
      f.integers("/X/indices", indices);
    });
  };

  CHECK(says(with_indices({0, 2, 3, 0, 4, 3}), "/X/indices: element 4 (of row 2"));
  CHECK(says(with_indices({0, -1, 3, 0, 1, 3}), "is -1, expected 0 to 3"));
  CHECK(says(with_indices({0, 2, 5000000000, 0, 1, 3}), "is 5000000000, expected 0 to 3"));
  CHECK(says(with_indices({0, 2, 3}), "/X: data has 6 elements and indices 3"));
}

TEST_CASE("hostile hdf5: indices and data of the wrong type are named") {
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/indices");
               f.doubles("/X/indices", {0, 2, 3, 0, 1, 3});
             }),
             "/X/indices: holds elements of type float64, expected integers"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/data");
               f.strings("/X/data", {"1", "2", "3", "4", "5", "6"});
             }),
             "/X/data: holds elements of type string, expected numbers"));
}

TEST_CASE("hostile hdf5: a shape that does not match the tables is named") {
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.attribute("/X", "shape", std::vector<std::int64_t>{3, 5});
             }),
             "/X: has shape 3 x 5, but obs has 3 rows and var 4"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.attribute("/X", "shape", std::vector<std::int64_t>{-3, 4});
             }),
             "/X: has shape -3 x 4"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X");
               f.doubles("/X", std::vector<double>(8, 1.0), {.shape = {2, 4}});
             }),
             "/X: has shape 2 x 4, but obs has 3 rows"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X");
               f.doubles("/X", std::vector<double>(24, 1.0), {.shape = {3, 4, 2}});
             }),
             "/X: has 3 dimensions, expected 2"));
}

TEST_CASE("hostile hdf5: category codes beyond the categories are named with their row") {
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/obs/type/codes");
               f.integers("/obs/type/codes", {0, 2, 1});
             }),
             "/obs/type/codes: row 1 has category code 2, expected -1 (none) to 1"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/obs/type/codes");
               f.integers("/obs/type/codes", {0, 1});
             }),
             "/obs/type: has 2 rows, expected 3"));
}

TEST_CASE("hostile hdf5: links are refused on every component of a path") {
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X");
               H5Lcreate_soft("/elsewhere", f.id(), "/X", H5P_DEFAULT, H5P_DEFAULT);
             }),
             "/X: is a soft link"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X");
               H5Lcreate_external("/etc/passwd", "/X", f.id(), "/X", H5P_DEFAULT, H5P_DEFAULT);
             }),
             "/X: is an external link"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/obs");
               H5Lcreate_soft("/var", f.id(), "/obs", H5P_DEFAULT, H5P_DEFAULT);
             }),
             "/obs: is a soft link"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/indptr");
               H5Lcreate_external("other.h5", "/indptr", f.id(), "/X/indptr", H5P_DEFAULT, H5P_DEFAULT);
             }),
             "/X/indptr: is an external link"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/obs/type");
               H5Lcreate_soft("/obs/_index", f.id(), "/obs/type", H5P_DEFAULT, H5P_DEFAULT);
             }),
             "/obs/type: is a soft link"));
  CHECK(says(
      refusal_of([](Hdf5File& f) { H5Lcreate_external("a.h5", "/", f.id(), "/layers", H5P_DEFAULT, H5P_DEFAULT); }),
      "/layers: is an external link"));
}

TEST_CASE("hostile hdf5: virtual datasets and external storage are refused") {
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/data");
               const hsize_t extent = 6;
               const hid_t space = H5Screate_simple(1, &extent, nullptr);
               const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
               H5Pset_virtual(plist, space, "/etc/passwd", "data", space);
               H5Dclose(H5Dcreate2(f.id(), "/X/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
               H5Pclose(plist);
               H5Sclose(space);
             }),
             "/X/data: is a virtual dataset"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/data");
               const hsize_t extent = 6;
               const hid_t space = H5Screate_simple(1, &extent, nullptr);
               const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
               H5Pset_external(plist, "/etc/passwd", 0, 24);
               H5Dclose(H5Dcreate2(f.id(), "/X/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
               H5Pclose(plist);
               H5Sclose(space);
             }),
             "/X/data: has external storage"));
}

namespace {

void replace_data_with_filter(Hdf5File& f, H5Z_filter_t filter) {
  f.remove("/X/data");
  const hsize_t extent = 6;
  const hid_t space = H5Screate_simple(1, &extent, nullptr);
  const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(plist, 1, &extent);
  H5Pset_filter(plist, filter, H5Z_FLAG_OPTIONAL, 0, nullptr);
  H5Dclose(H5Dcreate2(f.id(), "/X/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
  H5Pclose(plist);
  H5Sclose(space);
}

}  // namespace

TEST_CASE("hostile hdf5: a filter that is not built in is named with its number and a repair") {
  const std::string zstd = refusal_of([](Hdf5File& f) { replace_data_with_filter(f, 32015); });
  CHECK(says(zstd, "/X/data: is compressed with HDF5 filter 32015 (zstd)"));
  CHECK(says(zstd, "h5repack -f GZIP=4"));
  CHECK(says(refusal_of([](Hdf5File& f) { replace_data_with_filter(f, 310); }), "HDF5 filter 310 (filter 310)"));
}

TEST_CASE("hostile hdf5: extents that the stored bytes cannot bear out are refused before memory is asked for") {
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/indptr");
               const hsize_t extent = hsize_t{1} << 42;
               const hsize_t chunk = 1024;
               const hid_t space = H5Screate_simple(1, &extent, nullptr);
               const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
               H5Pset_chunk(plist, 1, &chunk);
               H5Dclose(H5Dcreate2(f.id(), "/X/indptr", H5T_STD_I64LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
               H5Pclose(plist);
               H5Sclose(space);
             }),
             "/X/indptr: claims [4398046511104] elements"));
  CHECK(says(refusal_of([](Hdf5File& f) {
               f.remove("/X/data");
               const hsize_t extent = hsize_t{1} << 28;
               const hid_t space = H5Screate_simple(1, &extent, nullptr);
               const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
               H5Pset_chunk(plist, 1, &extent);
               H5Dclose(H5Dcreate2(f.id(), "/X/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
               H5Pclose(plist);
               H5Sclose(space);
             }),
             "/X/data: has chunks of [268435456] elements, 1024 MB each; at most 256 MB"));
}

namespace {

// Replaces /X/data by one gzip chunk of 6 floats whose stored bytes are `stored`.
std::string refusal_of_chunk(const std::vector<unsigned char>& stored) {
  return refusal_of([&](Hdf5File& f) {
    f.remove("/X/data");
    const hsize_t extent = 6;
    const hid_t space = H5Screate_simple(1, &extent, nullptr);
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 1, &extent);
    H5Pset_deflate(plist, 4);
    const hid_t set = H5Dcreate2(f.id(), "/X/data", H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    const hsize_t origin = 0;
    H5Dwrite_chunk(set, H5P_DEFAULT, 0, &origin, stored.size(), stored.data());
    H5Dclose(set);
    H5Pclose(plist);
    H5Sclose(space);
  });
}

std::vector<unsigned char> compressed(const std::vector<unsigned char>& bytes) {
  std::vector<unsigned char> out(compressBound(bytes.size()));
  uLongf size = out.size();
  compress(out.data(), &size, bytes.data(), bytes.size());
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("hostile hdf5: chunks that are no gzip, too long or too short are refused") {
  CHECK(says(refusal_of_chunk({1, 2, 3, 4, 5}), "/X/data: a gzip chunk of 5 bytes is damaged"));
  CHECK(says(refusal_of_chunk(compressed(std::vector<unsigned char>(10000000, 0))), "is damaged: it gives 24 bytes"));
  CHECK(says(refusal_of_chunk(compressed(std::vector<unsigned char>(20, 0))), "it gives 20 bytes, expected 24"));
  CHECK(refusal_of_chunk(compressed(std::vector<unsigned char>(24, 1))) == "");
}

TEST_CASE("hostile hdf5: a string that claims gigabytes is refused") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.h5ad");
  Hdf5File file(path);
  write_small_h5ad(file);
  const hid_t names = H5Dopen2(file.id(), "/var/_index", H5P_DEFAULT);
  const haddr_t address = H5Dget_offset(names);
  H5Dclose(names);
  file.close();
  std::fstream bytes(path, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(static_cast<std::streamoff>(address));
  bytes.write("\xF0\xFF\xFF\xFF", 4);
  bytes.close();

  CHECK(says(refusal(path), "/var/_index: a string claims 4294967280 bytes"));
}

namespace {

// The small file after `spoil` changed each of its string heaps (16 bytes of header, then objects).
std::string refusal_of_heap(const std::function<void(char* heap)>& spoil) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("hostile.h5ad");
  {
    Hdf5File file(path);
    write_small_h5ad(file);
  }
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  int heaps = 0;
  for (std::size_t at = bytes.find("GCOL"); at != std::string::npos; at = bytes.find("GCOL", at + 1), ++heaps) {
    spoil(bytes.data() + at);
  }
  CHECK(heaps > 0);
  std::ofstream(path, std::ios::binary) << bytes;
  return refusal(path);
}

}  // namespace

TEST_CASE("hostile hdf5: damaged string heaps are refused") {
  CHECK(says(refusal_of_heap([](char* heap) { heap[0] = 'X'; }), "there is no heap at address"));
  CHECK(says(refusal_of_heap([](char* heap) { heap[16 + 8 + 5] = 1; }), "object 1 of the heap"));
  CHECK(says(refusal_of_heap([](char* heap) { heap[16] = 77; }), "object 1 of the heap"));
  CHECK(says(refusal_of_heap([](char* heap) { heap[8 + 6] = 1; }), "there is no heap at address"));
  CHECK(says(refusal_of_heap([](char* heap) { heap[8 + 2] = 8; }), "lie outside of the file"));
}

TEST_CASE("hostile hdf5: missing parts are named") {
  CHECK(says(refusal_of([](Hdf5File& f) { f.remove("/var"); }), "has no 'var'"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.remove("/X"); }), "/: has no matrix"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.remove("/X/indices"); }), "/X/indices: is missing"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.remove("/obs/_index"); }), "/obs/_index: is missing"));
  CHECK(says(refusal_of([](Hdf5File& f) { f.remove("/obs/type"); }), "/obs/type: is missing"));
  CHECK(says(refusal_of([](Hdf5File&) {}, {.matrix = "layers/counts"}),
             "there is no matrix 'layers/counts'. The file has: X."));
}

TEST_CASE("hostile hdf5: nothing is printed by the library") {
  const TemporaryDirectory directory;
  H5E_auto2_t before = nullptr;
  void* data = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &before, &data);

  refusal(directory.file("missing.h5ad"));
  refusal_of([](Hdf5File& f) { f.remove("/X/indices"); });

  H5E_auto2_t after = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &after, &data);
  const bool restored = after == before;
  CHECK(restored);
}

TEST_CASE("hdf5: a file that the host program has open is read as well") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shared.h5ad");
  {
    Hdf5File file(path);
    write_small_h5ad(file);
  }
  const hid_t host = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);

  CHECK(refusal(path) == "");
  H5Fclose(host);
}

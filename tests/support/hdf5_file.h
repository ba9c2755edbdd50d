// SPDX-License-Identifier: Apache-2.0
// Writing small HDF5 files for tests, straight through the C library: what our own writer would never write is made
// here.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::test {

// How a dataset is stored. Without a shape it is a vector; without a chunk it is contiguous.
struct DatasetForm {
  std::vector<hsize_t> shape = {};
  std::vector<hsize_t> chunk = {};
  bool shuffle = false, deflate = false, fletcher32 = false;
  hid_t file_type = H5I_INVALID_HID;  // default: as in memory
};

// A file, new or edited; closed by close() or the destructor. Missing groups of a path are made. Every failing call
// throws.
class Hdf5File {
 public:
  // newest: the newest layout the library writes, behind a user block of 512 bytes.
  enum class Mode { create, edit, newest };
  explicit Hdf5File(const std::string& path, Mode mode = Mode::create);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  hid_t id() const { return id_; }
  void close();

  void group(const std::string& path);
  void doubles(const std::string& path, const std::vector<double>& values, const DatasetForm& form = {});
  void integers(const std::string& path, const std::vector<std::int64_t>& values, const DatasetForm& form = {});
  void strings(const std::string& path, const std::vector<std::string>& values, const DatasetForm& form = {});
  void fixed_strings(const std::string& path, const std::vector<std::string>& values, std::size_t size);
  void booleans(const std::string& path, const std::vector<std::int8_t>& values);
  void remove(const std::string& path);

  void attribute(const std::string& path, const std::string& name, const std::string& text);
  void attribute(const std::string& path, const std::string& name, const std::vector<std::int64_t>& values);
  void attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values);
  void reference_attribute(const std::string& path, const std::string& name, const std::string& target);
  void encoding(const std::string& path, const std::string& type, const std::string& version);

  // The enum FALSE = 0, TRUE = 1 over int8; close with H5Tclose.
  static hid_t boolean_type();

 private:
  hid_t id_;
};

// A valid AnnData 0.8 file of 3 cells (c0, c1, c2) by 4 genes (g0 .. g3): X is CSR [[1, 0, 2, 0], [0, 0, 0, 3],
// [4, 5, 0, 6]] in float32, obs has the categorical "type" (B, A, B).
void write_small_h5ad(Hdf5File& file);

}  // namespace genexx::test

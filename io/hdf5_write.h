// SPDX-License-Identifier: Apache-2.0
// Writing HDF5: groups, datasets and attributes of the kinds our formats need. Every function throws RuntimeError
// naming file and HDF5 path when the library cannot write. Times of change are not stored, so equal content gives equal
// bytes.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/hdf5.h"

namespace genexx::hdf5 {

// A new file, replacing one of that path; returns its root group. Messages call it `name`. flush_file must be called
// before the last node of the file goes, to learn of a full disk.
Node create_file(const std::string& path, const std::string& name);

// An existing file for reading and writing. Throws RuntimeError when it is not writable, InputError as open_file does.
Node open_file_for_editing(const std::string& path, const std::string& name);

// Throws RuntimeError when a write to the disk has failed (disk full, file size limit); see hdf5_write_driver.h. Long
// work calls it now and then to stop early.
void check_written(const FileFacts& file);

// Writes everything out and closes the file; `root` must be its last node. Throws RuntimeError when any write failed. A
// file whose nodes merely go away is closed as well, but nobody learns whether it is whole.
void close_file(std::optional<Node>& root);

// Throws RuntimeError "cannot write FILE: PATH: what (reason)".
[[noreturn]] void fail_write(const Node& parent, const std::string& name, const std::string& what);

// A new group. `attributes` is how many bytes of attributes will be stored in it: over 60 KB needs another header.
Node create_group(const Node& parent, const std::string& name, std::int64_t attribute_bytes = 0);
Node open_or_create_group(const Node& parent, const std::string& name);
void remove_link(const Node& parent, const std::string& name);

// What a dataset looks like. An empty chunk means contiguous.
struct DatasetPlan {
  hid_t file_type = H5I_INVALID_HID;
  std::vector<std::int64_t> shape = {};
  std::vector<std::int64_t> chunk = {};
  bool can_grow = false;  // the first extent
  int gzip_level = 0;     // over 0: byte shuffle and gzip, chunks needed
};
Node create_dataset(const Node& parent, const std::string& name, const DatasetPlan& plan);
void write_all(const Node& dataset, hid_t memory_type, const void* data);

// Whole rows of a matrix of real numbers.
struct RowsToWrite {
  std::int64_t begin = 0, rows = 0, cols = 0;
  const float* values = nullptr;  // [rows, cols]
};
void write_rows(const Node& dataset, const RowsToWrite& rows);

// Whole vectors, uncompressed.
Node write_strings(const Node& parent, const std::string& name, const std::vector<std::string>& values);
Node write_doubles(const Node& parent, const std::string& name, const std::vector<double>& values);
Node write_floats(const Node& parent, const std::string& name, const std::vector<float>& values);
Node write_int64s(const Node& parent, const std::string& name, const std::vector<std::int64_t>& values);
Node write_int32s(const Node& parent, const std::string& name, const std::vector<std::int32_t>& values);
// Codes of categories in int8, int16 or int32, whichever holds `categories`.
Node write_codes(const Node& parent, const std::string& name, const std::vector<std::int32_t>& codes,
                 std::size_t categories);
// The enum FALSE = 0, TRUE = 1 over int8.
Node write_booleans(const Node& parent, const std::string& name, const std::vector<std::int8_t>& values);

// Attributes; one of that name is replaced.
void write_attribute(const Node& node, const std::string& name, const std::string& text);
void write_attribute(const Node& node, const std::string& name, const std::vector<std::string>& values);
void write_attribute(const Node& node, const std::string& name, const std::vector<std::int64_t>& values);
void write_false_attribute(const Node& node, const std::string& name);  // the boolean FALSE
void write_reference_attribute(const Node& node, const std::string& name, const Node& target);

}  // namespace genexx::hdf5

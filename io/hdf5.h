// SPDX-License-Identifier: Apache-2.0
// A small owning layer over the HDF5 C library: files, groups and datasets that can be reached safely, and errors that
// name file and HDF5 path.
//
// Files are taken for hostile. Every component of a path must be a hard link: external and soft links are refused, and
// so are datasets with external storage and virtual datasets. HDF5's run-time loading of filter plugins is switched off
// for the process when the first file is opened. Nothing is printed.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace genexx::hdf5 {

// Owns one HDF5 identifier of any kind.
class Id {
 public:
  Id() = default;
  explicit Id(hid_t id) : id_(id) {}
  Id(Id&& other) noexcept : id_(other.id_) { other.id_ = H5I_INVALID_HID; }
  Id& operator=(Id&& other) noexcept;
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  ~Id();

  hid_t get() const { return id_; }
  bool valid() const { return id_ >= 0; }

 private:
  hid_t id_ = H5I_INVALID_HID;
};

// While alive, the calling thread's HDF5 errors are not printed; the host program's setting is put back afterwards.
class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// The innermost message of the calling thread's HDF5 error stack, or "unknown error".
std::string last_error();

struct WriteOutcome;

struct FileFacts {
  std::string path;  // where the bytes are
  std::int64_t bytes = 0;
  std::string name;  // what messages call the file: for one being written, its final name
  std::shared_ptr<const WriteOutcome> outcome = nullptr;  // of a file being written
};

enum class NodeKind { group, dataset };

// An open group or dataset. Cheap to copy; the file closes with the last node of it. Not thread-safe.
class Node {
 public:
  Node(Id id, NodeKind kind, std::string path, std::shared_ptr<const FileFacts> file);

  bool is_group() const { return kind_ == NodeKind::group; }
  bool is_dataset() const { return kind_ == NodeKind::dataset; }
  hid_t id() const { return id_->get(); }
  const std::string& path() const { return path_; }  // "/obs/cell_type"
  const FileFacts& file() const { return *file_; }
  const std::shared_ptr<const FileFacts>& shared_file() const { return file_; }

  // Whether the group has a link of that name; components are separated by '/'. False for a dataset.
  bool has(const std::string& relative_path) const;

  // Opens a member. Throws InputError when it is missing, reached through a link that is not hard, neither group nor
  // dataset, or a dataset with external storage or a virtual layout.
  Node open(const std::string& relative_path) const;
  Node open_group(const std::string& relative_path) const;    // also throws when it is a dataset
  Node open_dataset(const std::string& relative_path) const;  // also throws when it is a group

  // Opens what an object reference points at, with the same checks.
  Node open_reference(const hobj_ref_t& reference) const;

  // Names of the members, by name. Includes links that open() refuses.
  std::vector<std::string> names() const;

  // Throws InputError "FILE: PATH: problem".
  [[noreturn]] void fail(const std::string& problem) const;
  // "FILE: PATH", with which that message begins.
  std::string place() const;

 private:
  Node open_component(const std::string& name) const;

  std::shared_ptr<const Id> id_;
  NodeKind kind_;
  std::string path_;
  std::shared_ptr<const FileFacts> file_;
};

// Opens a file for reading, without file locks (they fail on some network file systems), and returns its root group.
// Throws InputError when it is missing, a directory, not HDF5, truncated or otherwise refused by the library.
Node open_file(const std::string& path);

// Whether the file begins with the HDF5 signature, at byte 0, 512, 1024, 2048, ... (HDF5 file format, section II.A).
bool has_signature(const std::string& path);

}  // namespace genexx::hdf5

// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_write.h"

#include <sys/stat.h>

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/hdf5_write_driver.h"

namespace genexx::hdf5 {
namespace {

constexpr std::int64_t kHeaderBytes = 60000;  // attributes beyond this do not fit an object header of the first version

Id string_type() {
  Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

Id boolean_type() {
  Id type(H5Tenum_create(H5T_STD_I8LE));
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  H5Tenum_insert(type.get(), "FALSE", &no);
  H5Tenum_insert(type.get(), "TRUE", &yes);
  return type;
}

std::vector<const char*> pointers(const std::vector<std::string>& values) {
  std::vector<const char*> out;
  out.reserve(values.size() + 1);
  for (const std::string& value : values) out.push_back(value.c_str());
  out.push_back(nullptr);  // HDF5 refuses a null buffer even for nothing
  return out;
}

Id space_of(const std::vector<std::int64_t>& shape, bool can_grow) {
  std::vector<hsize_t> extents(shape.begin(), shape.end());
  std::vector<hsize_t> most = extents;
  if (can_grow) most[0] = H5S_UNLIMITED;
  return Id(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), most.data()));
}

struct AttributeValue {
  hid_t file_type, memory_type, space;
  const void* data;
};

void put_attribute(const Node& node, const std::string& name, const AttributeValue& value) {
  const QuietErrors quiet;
  if (H5Aexists(node.id(), name.c_str()) > 0 && H5Adelete(node.id(), name.c_str()) < 0) {
    fail_write(node, "@" + name, "an attribute cannot be replaced");
  }
  const Id attribute(H5Acreate2(node.id(), name.c_str(), value.file_type, value.space, H5P_DEFAULT, H5P_DEFAULT));
  if (!attribute.valid() || H5Awrite(attribute.get(), value.memory_type, value.data) < 0) {
    fail_write(node, "@" + name, "an attribute cannot be written");
  }
}

Node write_vector(const Node& parent, const std::string& name, hid_t type, std::size_t count, const void* data) {
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(count)};
  Node dataset = create_dataset(parent, name, {.file_type = type, .shape = shape});
  if (count > 0) write_all(dataset, type, data);
  return dataset;
}

}  // namespace

void fail_write(const Node& parent, const std::string& name, const std::string& what) {
  check_written(parent.file());
  throw RuntimeError(fmt::format("cannot write {}: {}/{}: {} ({}). Check the free space and the permissions.",
                                 parent.file().name, parent.path() == "/" ? "" : parent.path(), name, what,
                                 last_error()));
}

Node create_file(const std::string& path, const std::string& name) {
  const QuietErrors quiet;
  const auto outcome = std::make_shared<WriteOutcome>();
  const Id access = write_access(outcome);
  const Id file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()));
  Id root(file.valid() ? H5Gopen2(file.get(), "/", H5P_DEFAULT) : H5I_INVALID_HID);
  if (!root.valid()) {
    throw RuntimeError(
        fmt::format("cannot write {}: the file cannot be created ({}). Check the directory and its "
                    "permissions.",
                    name, last_error()));
  }
  return Node(std::move(root), NodeKind::group, "/",
              std::make_shared<const FileFacts>(FileFacts{path, 0, name, outcome}));
}

Node open_file_for_editing(const std::string& path, const std::string& name) {
  const QuietErrors quiet;
  const auto outcome = std::make_shared<WriteOutcome>();
  const Id access = write_access(outcome);
  const Id file(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()));
  Id root(file.valid() ? H5Gopen2(file.get(), "/", H5P_DEFAULT) : H5I_INVALID_HID);
  if (!root.valid()) {
    throw RuntimeError(
        fmt::format("cannot write {}: the file cannot be opened for writing ({}). If a program that was "
                    "writing it crashed, run `h5clear -s` on it.",
                    name, last_error()));
  }
  struct stat status {};
  stat(path.c_str(), &status);
  return Node(std::move(root), NodeKind::group, "/",
              std::make_shared<const FileFacts>(FileFacts{path, status.st_size, name, outcome}));
}

void check_written(const FileFacts& file) {
  if (!file.outcome || file.outcome->error == 0) return;
  throw RuntimeError(
      fmt::format("cannot write {}: a write of {} bytes failed ({}). Free some space, raise the file size limit "
                  "(ulimit -f), or choose another place.",
                  file.name, file.outcome->bytes, std::strerror(file.outcome->error)));
}

void close_file(std::optional<Node>& root) {
  const QuietErrors quiet;
  if (H5Fflush(root->id(), H5F_SCOPE_GLOBAL) < 0) fail_write(*root, "", "the file cannot be written out");
  const std::shared_ptr<const FileFacts> file = root->shared_file();
  root.reset();
  check_written(*file);
}

Node create_group(const Node& parent, const std::string& name, std::int64_t attribute_bytes) {
  const QuietErrors quiet;
  const Id plist(H5Pcreate(H5P_GROUP_CREATE));
  H5Pset_obj_track_times(plist.get(), 0);
  if (attribute_bytes > kHeaderBytes) H5Pset_attr_creation_order(plist.get(), H5P_CRT_ORDER_TRACKED);
  Id group(H5Gcreate2(parent.id(), name.c_str(), H5P_DEFAULT, plist.get(), H5P_DEFAULT));
  if (!group.valid()) fail_write(parent, name, "the group cannot be created");
  return Node(std::move(group), NodeKind::group, (parent.path() == "/" ? "" : parent.path()) + "/" + name,
              parent.shared_file());
}

Node open_or_create_group(const Node& parent, const std::string& name) {
  return parent.has(name) ? parent.open_group(name) : create_group(parent, name);
}

void remove_link(const Node& parent, const std::string& name) {
  const QuietErrors quiet;
  if (H5Ldelete(parent.id(), name.c_str(), H5P_DEFAULT) < 0) fail_write(parent, name, "cannot be removed");
}

Node create_dataset(const Node& parent, const std::string& name, const DatasetPlan& plan) {
  const QuietErrors quiet;
  const Id plist(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(plist.get(), 0);
  if (!plan.chunk.empty()) {
    const std::vector<hsize_t> chunk(plan.chunk.begin(), plan.chunk.end());
    H5Pset_chunk(plist.get(), static_cast<int>(chunk.size()), chunk.data());
    if (plan.gzip_level > 0) {
      H5Pset_shuffle(plist.get());
      H5Pset_deflate(plist.get(), static_cast<unsigned>(plan.gzip_level));
    }
  }
  const Id space = space_of(plan.shape, plan.can_grow);
  Id dataset(H5Dcreate2(parent.id(), name.c_str(), plan.file_type, space.get(), H5P_DEFAULT, plist.get(), H5P_DEFAULT));
  if (!dataset.valid()) fail_write(parent, name, "the dataset cannot be created");
  return Node(std::move(dataset), NodeKind::dataset, (parent.path() == "/" ? "" : parent.path()) + "/" + name,
              parent.shared_file());
}

void write_all(const Node& dataset, hid_t memory_type, const void* data) {
  const QuietErrors quiet;
  if (H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
    fail_write(dataset, "", "the values cannot be written");
  }
  check_written(dataset.file());
}

void write_rows(const Node& dataset, const RowsToWrite& rows) {
  const QuietErrors quiet;
  const std::array<hsize_t, 2> begin{static_cast<hsize_t>(rows.begin), 0};
  const std::array<hsize_t, 2> count{static_cast<hsize_t>(rows.rows), static_cast<hsize_t>(rows.cols)};
  const Id file_space(H5Dget_space(dataset.id()));
  const Id memory_space(H5Screate_simple(2, count.data(), nullptr));
  if (H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, begin.data(), nullptr, count.data(), nullptr) < 0 ||
      H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, memory_space.get(), file_space.get(), H5P_DEFAULT, rows.values) < 0) {
    fail_write(dataset, "", "rows cannot be written");
  }
  check_written(dataset.file());
}

Node write_strings(const Node& parent, const std::string& name, const std::vector<std::string>& values) {
  const Id type = string_type();
  return write_vector(parent, name, type.get(), values.size(), pointers(values).data());
}

Node write_doubles(const Node& parent, const std::string& name, const std::vector<double>& values) {
  return write_vector(parent, name, H5T_IEEE_F64LE, values.size(), values.data());
}

Node write_floats(const Node& parent, const std::string& name, const std::vector<float>& values) {
  return write_vector(parent, name, H5T_IEEE_F32LE, values.size(), values.data());
}

Node write_int64s(const Node& parent, const std::string& name, const std::vector<std::int64_t>& values) {
  return write_vector(parent, name, H5T_STD_I64LE, values.size(), values.data());
}

Node write_int32s(const Node& parent, const std::string& name, const std::vector<std::int32_t>& values) {
  return write_vector(parent, name, H5T_STD_I32LE, values.size(), values.data());
}

Node write_codes(const Node& parent, const std::string& name, const std::vector<std::int32_t>& codes,
                 std::size_t categories) {
  if (categories > 32767) return write_int32s(parent, name, codes);
  if (categories > 127) {
    const std::vector<std::int16_t> narrow(codes.begin(), codes.end());
    return write_vector(parent, name, H5T_STD_I16LE, narrow.size(), narrow.data());
  }
  const std::vector<std::int8_t> narrow(codes.begin(), codes.end());
  return write_vector(parent, name, H5T_STD_I8LE, narrow.size(), narrow.data());
}

Node write_booleans(const Node& parent, const std::string& name, const std::vector<std::int8_t>& values) {
  const Id type = boolean_type();
  return write_vector(parent, name, type.get(), values.size(), values.data());
}

void write_attribute(const Node& node, const std::string& name, const std::string& text) {
  const QuietErrors quiet;
  const Id type = string_type();
  const Id space(H5Screate(H5S_SCALAR));
  const char* pointer = text.c_str();
  put_attribute(node, name, {type.get(), type.get(), space.get(), &pointer});
}

void write_attribute(const Node& node, const std::string& name, const std::vector<std::string>& values) {
  const QuietErrors quiet;
  const Id type = string_type();
  const Id space = space_of({static_cast<std::int64_t>(values.size())}, false);
  put_attribute(node, name, {type.get(), type.get(), space.get(), pointers(values).data()});
}

void write_attribute(const Node& node, const std::string& name, const std::vector<std::int64_t>& values) {
  const QuietErrors quiet;
  const Id space = space_of({static_cast<std::int64_t>(values.size())}, false);
  put_attribute(node, name, {H5T_STD_I64LE, H5T_NATIVE_INT64, space.get(), values.data()});
}

void write_false_attribute(const Node& node, const std::string& name) {
  const QuietErrors quiet;
  const Id type = boolean_type();
  const Id space(H5Screate(H5S_SCALAR));
  const std::int8_t no = 0;
  put_attribute(node, name, {type.get(), type.get(), space.get(), &no});
}

void write_reference_attribute(const Node& node, const std::string& name, const Node& target) {
  const QuietErrors quiet;
  hobj_ref_t reference = 0;
  if (H5Rcreate(&reference, target.id(), ".", H5R_OBJECT, -1) < 0)
    fail_write(node, "@" + name, "no reference to the target");
  const Id space(H5Screate(H5S_SCALAR));
  put_attribute(node, name, {H5T_STD_REF_OBJ, H5T_STD_REF_OBJ, space.get(), &reference});
}

}  // namespace genexx::hdf5

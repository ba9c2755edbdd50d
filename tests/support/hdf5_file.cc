// SPDX-License-Identifier: Apache-2.0
#include "tests/support/hdf5_file.h"

#include <cstring>
#include <stdexcept>

namespace genexx::test {
namespace {

hid_t checked(hid_t id, const char* what) {
  if (id < 0) throw std::runtime_error(std::string("HDF5 call failed in a test: ") + what);
  return id;
}

hid_t make_groups() {
  const hid_t plist = checked(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate");
  H5Pset_create_intermediate_group(plist, 1);
  return plist;
}

hid_t creation(const DatasetForm& form) {
  const hid_t plist = checked(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate");
  if (!form.chunk.empty()) H5Pset_chunk(plist, static_cast<int>(form.chunk.size()), form.chunk.data());
  if (form.shuffle) H5Pset_shuffle(plist);
  if (form.deflate) H5Pset_deflate(plist, 4);
  if (form.fletcher32) H5Pset_fletcher32(plist);
  return plist;
}

struct Target {
  hid_t file;
  const std::string& path;
};

void write_dataset(const Target& target, hid_t memory_type, const DatasetForm& form, std::size_t count,
                   const void* data) {
  const std::vector<hsize_t> shape = form.shape.empty() ? std::vector<hsize_t>{count} : form.shape;
  const hid_t space = checked(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "space");
  const hid_t links = make_groups();
  const hid_t plist = creation(form);
  const hid_t type = form.file_type >= 0 ? form.file_type : memory_type;
  const hid_t set =
      checked(H5Dcreate2(target.file, target.path.c_str(), type, space, links, plist, H5P_DEFAULT), "H5Dcreate2");
  if (count > 0) checked(H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "H5Dwrite");
  H5Dclose(set);
  H5Pclose(plist);
  H5Pclose(links);
  H5Sclose(space);
}

hid_t variable_string() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> out;
  for (const std::string& text : strings) out.push_back(text.c_str());
  return out;
}

struct AttributeValue {
  hid_t type;
  hid_t space;  // closed by write_attribute
  const void* data;
};

void write_attribute(const Target& target, const std::string& name, const AttributeValue& value) {
  const hid_t object = checked(H5Oopen(target.file, target.path.c_str(), H5P_DEFAULT), "H5Oopen");
  if (H5Aexists(object, name.c_str()) > 0) H5Adelete(object, name.c_str());
  const hid_t attribute =
      checked(H5Acreate2(object, name.c_str(), value.type, value.space, H5P_DEFAULT, H5P_DEFAULT), "H5Acreate2");
  checked(H5Awrite(attribute, value.type, value.data), "H5Awrite");
  H5Aclose(attribute);
  H5Sclose(value.space);
  H5Oclose(object);
}

}  // namespace

namespace {

hid_t open_file(const std::string& path, Hdf5File::Mode mode) {
  if (mode == Hdf5File::Mode::create) return H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (mode == Hdf5File::Mode::edit) return H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t creation_list = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_userblock(creation_list, 512);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation_list, access);
  H5Pclose(access);
  H5Pclose(creation_list);
  return file;
}

}  // namespace

Hdf5File::Hdf5File(const std::string& path, Mode mode) : id_(checked(open_file(path, mode), "opening the file")) {}

Hdf5File::~Hdf5File() { close(); }

void Hdf5File::close() {
  if (id_ >= 0) H5Fclose(id_);
  id_ = H5I_INVALID_HID;
}

void Hdf5File::group(const std::string& path) {
  const hid_t links = make_groups();
  H5Gclose(checked(H5Gcreate2(id_, path.c_str(), links, H5P_DEFAULT, H5P_DEFAULT), "H5Gcreate2"));
  H5Pclose(links);
}

void Hdf5File::doubles(const std::string& path, const std::vector<double>& values, const DatasetForm& form) {
  write_dataset({id_, path}, H5T_NATIVE_DOUBLE, form, values.size(), values.data());
}

void Hdf5File::integers(const std::string& path, const std::vector<std::int64_t>& values, const DatasetForm& form) {
  write_dataset({id_, path}, H5T_NATIVE_INT64, form, values.size(), values.data());
}

void Hdf5File::strings(const std::string& path, const std::vector<std::string>& values, const DatasetForm& form) {
  const hid_t type = variable_string();
  write_dataset({id_, path}, type, form, values.size(), pointers(values).data());
  H5Tclose(type);
}

void Hdf5File::fixed_strings(const std::string& path, const std::vector<std::string>& values, std::size_t size) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  std::string bytes;
  for (const std::string& text : values) bytes += text + std::string(size - text.size(), '\0');
  write_dataset({id_, path}, type, {}, values.size(), bytes.data());
  H5Tclose(type);
}

hid_t Hdf5File::boolean_type() {
  const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
  const std::int8_t no = 0, yes = 1;
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  return type;
}

void Hdf5File::booleans(const std::string& path, const std::vector<std::int8_t>& values) {
  const hid_t type = boolean_type();
  write_dataset({id_, path}, type, {}, values.size(), values.data());
  H5Tclose(type);
}

void Hdf5File::remove(const std::string& path) {
  if (H5Ldelete(id_, path.c_str(), H5P_DEFAULT) < 0) throw std::runtime_error("nothing to remove at " + path);
}

void Hdf5File::attribute(const std::string& path, const std::string& name, const std::string& text) {
  const hid_t type = variable_string();
  const char* pointer = text.c_str();
  write_attribute({id_, path}, name, {type, H5Screate(H5S_SCALAR), &pointer});
  H5Tclose(type);
}

void Hdf5File::attribute(const std::string& path, const std::string& name, const std::vector<std::int64_t>& values) {
  const hsize_t count = values.size();
  write_attribute({id_, path}, name, {H5T_NATIVE_INT64, H5Screate_simple(1, &count, nullptr), values.data()});
}

void Hdf5File::attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values) {
  const hid_t type = values.empty() ? H5Tcopy(H5T_NATIVE_DOUBLE) : variable_string();  // as h5py writes an empty list
  const hsize_t count = values.size();
  std::vector<const char*> data = pointers(values);
  data.push_back(nullptr);  // never a null buffer
  write_attribute({id_, path}, name, {type, H5Screate_simple(1, &count, nullptr), data.data()});
  H5Tclose(type);
}

void Hdf5File::reference_attribute(const std::string& path, const std::string& name, const std::string& target) {
  hobj_ref_t reference = 0;
  if (H5Rcreate(&reference, id_, target.c_str(), H5R_OBJECT, -1) < 0) throw std::runtime_error("no target " + target);
  write_attribute({id_, path}, name, {H5T_STD_REF_OBJ, H5Screate(H5S_SCALAR), &reference});
}

void Hdf5File::encoding(const std::string& path, const std::string& type, const std::string& version) {
  attribute(path, "encoding-type", type);
  attribute(path, "encoding-version", version);
}

void write_small_h5ad(Hdf5File& file) {
  file.encoding("/", "anndata", "0.1.0");
  DatasetForm float32;
  float32.file_type = H5T_IEEE_F32LE;
  DatasetForm int32;
  int32.file_type = H5T_STD_I32LE;
  file.doubles("/X/data", {1, 2, 3, 4, 5, 6}, float32);
  file.integers("/X/indices", {0, 2, 3, 0, 1, 3}, int32);
  file.integers("/X/indptr", {0, 2, 3, 6}, int32);
  file.encoding("/X", "csr_matrix", "0.1.0");
  file.attribute("/X", "shape", std::vector<std::int64_t>{3, 4});
  file.strings("/obs/_index", {"c0", "c1", "c2"});
  file.encoding("/obs/_index", "string-array", "0.2.0");
  file.encoding("/obs", "dataframe", "0.2.0");
  file.attribute("/obs", "_index", std::string("_index"));
  file.attribute("/obs", "column-order", std::vector<std::string>{"type"});
  DatasetForm int8;
  int8.file_type = H5T_STD_I8LE;
  file.integers("/obs/type/codes", {1, 0, 1}, int8);
  file.strings("/obs/type/categories", {"A", "B"});
  file.encoding("/obs/type", "categorical", "0.2.0");
  file.strings("/var/_index", {"g0", "g1", "g2", "g3"});
  file.encoding("/var/_index", "string-array", "0.2.0");
  file.encoding("/var", "dataframe", "0.2.0");
  file.attribute("/var", "_index", std::string("_index"));
  file.attribute("/var", "column-order", std::vector<std::string>{});
}

}  // namespace genexx::test

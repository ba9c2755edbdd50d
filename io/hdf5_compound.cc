// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_compound.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hdf5_dataset.h"

namespace genexx::hdf5 {
namespace {

Id member_type(hid_t compound, const std::string& name) {
  const int index = H5Tget_member_index(compound, name.c_str());
  return Id(index < 0 ? H5I_INVALID_HID : H5Tget_member_type(compound, static_cast<unsigned>(index)));
}

// Reads the field alone, as `memory_type`, which has no more bytes than `out` has per element.
void read_field(const Node& dataset, const std::string& name, hid_t memory_type, void* out) {
  const Id compound(H5Tcreate(H5T_COMPOUND, H5Tget_size(memory_type)));
  H5Tinsert(compound.get(), name.c_str(), 0, memory_type);
  if (H5Dread(dataset.id(), compound.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
    dataset.fail(fmt::format("field '{}' cannot be read ({})", name, last_error()));
  }
}

std::size_t row_count(const Node& dataset) { return static_cast<std::size_t>(readable_dataset(dataset).elements()); }

}  // namespace

std::vector<CompoundField> compound_fields(const Node& dataset) {
  const QuietErrors quiet;
  const DatasetInfo info = readable_dataset(dataset);
  if (info.type.kind != ElementKind::compound || info.shape.size() != 1) {
    dataset.fail(
        fmt::format("holds elements of type {} in {} dimensions, expected a table (a vector of compound elements)",
                    dtype_name(info.type), info.shape.size()));
  }
  const Id type(H5Dget_type(dataset.id()));
  std::vector<CompoundField> fields;
  const int count = H5Tget_nmembers(type.get());
  for (int i = 0; i < count; ++i) {
    char* name = H5Tget_member_name(type.get(), static_cast<unsigned>(i));
    const Id member(H5Tget_member_type(type.get(), static_cast<unsigned>(i)));
    fields.push_back({name ? name : "", element_type(member.get())});
    H5free_memory(name);
  }
  return fields;
}

std::vector<double> read_field_numbers(const Node& dataset, const CompoundField& field) {
  const QuietErrors quiet;
  if (field.type.kind == ElementKind::boolean) {
    const Id type(H5Dget_type(dataset.id()));
    const Id member = member_type(type.get(), field.name);
    std::vector<signed char> flags(row_count(dataset));
    read_field(dataset, field.name, member.get(), flags.data());
    return std::vector<double>(flags.begin(), flags.end());
  }
  std::vector<double> values(row_count(dataset));
  read_field(dataset, field.name, H5T_NATIVE_DOUBLE, values.data());
  return values;
}

std::vector<std::string> read_field_strings(const Node& dataset, const CompoundField& field) {
  const QuietErrors quiet;
  const Id type(H5Dget_type(dataset.id()));
  const Id member = member_type(type.get(), field.name);
  const std::size_t rows = row_count(dataset);
  std::vector<std::string> strings;
  if (field.type.kind == ElementKind::variable_string) {
    std::vector<char*> pointers(rows, nullptr);
    const Id memory_type(H5Tcopy(member.get()));
    read_field(dataset, field.name, memory_type.get(), pointers.data());
    for (char* text : pointers) {
      strings.emplace_back(text ? text : "");
      H5free_memory(text);
    }
    return strings;
  }
  const auto size = static_cast<std::size_t>(field.type.size);
  std::vector<char> bytes(rows * size);
  read_field(dataset, field.name, member.get(), bytes.data());
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const char* begin = bytes.data() + at;
    strings.emplace_back(begin, std::find(begin, begin + size, '\0'));
  }
  return strings;
}

}  // namespace genexx::hdf5

// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_attributes.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hdf5_elements.h"
#include "io/hdf5_heap.h"
#include "io/hdf5_limits.h"
#include "io/hdf5_object_header.h"

namespace genexx::hdf5 {
namespace {

struct Attribute {
  Id id;
  Id type;
  ElementType element;
  std::int64_t count = 0;
};

std::optional<Attribute> open_attribute(const Node& node, const std::string& name) {
  if (!has_attribute(node, name)) return std::nullopt;
  Attribute attribute{Id(H5Aopen(node.id(), name.c_str(), H5P_DEFAULT)), Id(), {}, 0};
  if (!attribute.id.valid()) node.fail(fmt::format("attribute '{}' cannot be opened ({})", name, last_error()));
  attribute.type = Id(H5Aget_type(attribute.id.get()));
  const Id space(H5Aget_space(attribute.id.get()));
  attribute.element = element_type(attribute.type.get());
  attribute.count = H5Sget_simple_extent_npoints(space.get());
  if (static_cast<std::int64_t>(H5Aget_storage_size(attribute.id.get())) > kMaximumAttributeBytes ||
      attribute.count < 0 || attribute.count > kMaximumAttributeBytes) {
    node.fail(fmt::format("attribute '{}' is larger than {} bytes", name, kMaximumAttributeBytes));
  }
  return attribute;
}

void read_into(const Node& node, const Attribute& attribute, hid_t memory_type, void* out) {
  if (H5Aread(attribute.id.get(), memory_type, out) < 0) {
    node.fail(fmt::format("an attribute cannot be read ({})", last_error()));
  }
}

// The library reads only what our own reader cannot: attributes stored outside of the object header.
std::optional<std::vector<std::string>> read_from_heap(const Node& node, const std::string& name,
                                                       const Attribute& attribute) {
  if (node.file().outcome) return std::nullopt;
  RawFile file(node);
  if (!file.is_usual()) return std::nullopt;
  const auto stored = stored_attribute(file, node, name, attribute.count * kVariableStringBytes);
  if (!stored) return std::nullopt;
  GlobalHeap heap(file);
  std::vector<std::string> strings;
  for (std::int64_t i = 0; i < attribute.count; ++i) {
    strings.push_back(heap.read(node, stored->data() + i * kVariableStringBytes));
  }
  return strings;
}

std::vector<std::string> read_variable(const Node& node, const Attribute& attribute) {
  const Id memory_type(H5Tcopy(H5T_C_S1));
  H5Tset_size(memory_type.get(), H5T_VARIABLE);
  H5Tset_cset(memory_type.get(), H5Tget_cset(attribute.type.get()));
  std::vector<char*> pointers(static_cast<std::size_t>(attribute.count), nullptr);
  read_into(node, attribute, memory_type.get(), pointers.data());
  std::vector<std::string> strings;
  for (const char* text : pointers) strings.emplace_back(text ? text : "");
  const Id space(H5Aget_space(attribute.id.get()));
  H5Dvlen_reclaim(memory_type.get(), space.get(), H5P_DEFAULT, pointers.data());
  return strings;
}

std::vector<std::string> read_fixed(const Node& node, const Attribute& attribute) {
  const std::size_t size = H5Tget_size(attribute.type.get());
  std::vector<char> bytes(size * static_cast<std::size_t>(attribute.count));
  read_into(node, attribute, attribute.type.get(), bytes.data());
  std::vector<std::string> strings;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const char* begin = bytes.data() + at;
    std::string text(begin, std::find(begin, begin + size, '\0'));
    if (H5Tget_strpad(attribute.type.get()) == H5T_STR_SPACEPAD) text.erase(text.find_last_not_of(' ') + 1);
    strings.push_back(std::move(text));
  }
  return strings;
}

[[noreturn]] void fail_type(const Node& node, const std::string& name, const ElementType& found, const char* expected) {
  node.fail(fmt::format("attribute '{}' has type {}, expected {}", name, dtype_name(found), expected));
}

}  // namespace

bool has_attribute(const Node& node, const std::string& name) {
  const QuietErrors quiet;
  return H5Aexists(node.id(), name.c_str()) > 0;
}

std::optional<std::vector<std::string>> strings_attribute(const Node& node, const std::string& name) {
  const QuietErrors quiet;
  const std::optional<Attribute> attribute = open_attribute(node, name);
  if (!attribute) return std::nullopt;
  if (attribute->count == 0) return std::vector<std::string>{};
  if (!attribute->element.is_string()) fail_type(node, name, attribute->element, "strings");
  if (attribute->element.kind == ElementKind::fixed_string) return read_fixed(node, *attribute);
  if (auto strings = read_from_heap(node, name, *attribute)) return strings;
  return read_variable(node, *attribute);
}

std::optional<std::string> string_attribute(const Node& node, const std::string& name) {
  const std::optional<std::vector<std::string>> strings = strings_attribute(node, name);
  if (!strings) return std::nullopt;
  if (strings->size() != 1) {
    node.fail(fmt::format("attribute '{}' has {} strings, expected one", name, strings->size()));
  }
  return strings->front();
}

std::optional<std::vector<std::int64_t>> integers_attribute(const Node& node, const std::string& name) {
  const QuietErrors quiet;
  const std::optional<Attribute> attribute = open_attribute(node, name);
  if (!attribute) return std::nullopt;
  if (!attribute->element.is_integer()) fail_type(node, name, attribute->element, "integers");
  std::vector<std::int64_t> values(static_cast<std::size_t>(attribute->count));
  if (!values.empty()) read_into(node, *attribute, H5T_NATIVE_INT64, values.data());
  return values;
}

std::optional<hobj_ref_t> reference_attribute(const Node& node, const std::string& name) {
  const QuietErrors quiet;
  const std::optional<Attribute> attribute = open_attribute(node, name);
  if (!attribute) return std::nullopt;
  if (attribute->count != 1 || H5Tequal(attribute->type.get(), H5T_STD_REF_OBJ) <= 0) {
    fail_type(node, name, attribute->element, "one object reference");
  }
  hobj_ref_t reference = 0;
  read_into(node, *attribute, H5T_STD_REF_OBJ, &reference);
  return reference;
}

}  // namespace genexx::hdf5

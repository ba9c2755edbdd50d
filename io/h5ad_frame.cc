// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad_frame.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/hdf5_attributes.h"
#include "io/hdf5_compound.h"
#include "io/hdf5_values.h"

namespace genexx::h5ad {
namespace {

using hdf5::ElementKind;
using hdf5::Node;
using hdf5::string_attribute;

std::string encoding_type(const Node& node) { return string_attribute(node, "encoding-type").value_or(""); }

NumberKind number_kind(const hdf5::ElementType& type) {
  if (type.kind == ElementKind::boolean) return NumberKind::boolean;
  return type.is_integer() ? NumberKind::integer : NumberKind::real;
}

void expect_rows(const Node& node, std::size_t found, std::size_t expected) {
  if (found != expected) {
    node.fail(fmt::format("has {} rows, expected {} as the table's index has. The file is damaged; write it again.",
                          found, expected));
  }
}

// Codes with their names; equal names become one category.
Categorical make_categorical(const Node& codes_node, const std::vector<std::int64_t>& codes, Strings names) {
  std::map<std::string, std::int32_t> code_of;
  std::vector<std::int32_t> merged;
  Categorical labels;
  for (std::string& name : names) {
    const auto found = code_of.emplace(name, static_cast<std::int32_t>(labels.categories.size()));
    if (found.second) labels.categories.push_back(std::move(name));
    merged.push_back(found.first->second);
  }
  labels.codes.reserve(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] < -1 || codes[i] >= static_cast<std::int64_t>(merged.size())) {
      codes_node.fail(
          fmt::format("row {} has category code {}, expected -1 (none) to {}. The file is damaged; write it "
                      "again.",
                      i, codes[i], static_cast<std::int64_t>(merged.size()) - 1));
    }
    labels.codes.push_back(codes[i] < 0 ? -1 : merged[static_cast<std::size_t>(codes[i])]);
  }
  return labels;
}

Categorical read_categorical_group(const Node& group) {
  const Node codes = group.open_dataset("codes");
  return make_categorical(codes, hdf5::read_integers(codes), hdf5::read_as_text(group.open_dataset("categories")));
}

Numbers read_numbers(const Node& dataset) {
  Numbers numbers;
  numbers.kind = number_kind(hdf5::describe_dataset(dataset).type);
  numbers.values = hdf5::read_doubles(dataset);
  return numbers;
}

// values and mask; a masked value is missing.
std::variant<Strings, Categorical, Numbers> read_nullable(const Node& group) {
  const Node values = group.open_dataset("values");
  const std::vector<std::int64_t> mask =
      group.has("mask") ? hdf5::read_integers(group.open_dataset("mask")) : std::vector<std::int64_t>{};
  const auto expect_mask = [&](std::size_t rows) {
    if (!mask.empty()) expect_rows(group.open("mask"), mask.size(), rows);
  };
  if (hdf5::describe_dataset(values).type.is_string()) {
    Strings strings = hdf5::read_strings(values);
    expect_mask(strings.size());
    for (std::size_t i = 0; i < mask.size(); ++i) {
      if (mask[i]) strings[i].clear();
    }
    return strings;
  }
  Numbers numbers = read_numbers(values);
  expect_mask(numbers.values.size());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i]) numbers.values[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return numbers;
}

bool known_version(const Node& node, const std::string& version) {
  return string_attribute(node, "encoding-version").value_or(version) == version;
}

std::string encoding_text(const Node& node) {
  return fmt::format("its encoding is '{}' version '{}'", encoding_type(node),
                     string_attribute(node, "encoding-version").value_or("none"));
}

// A column that is a group, or nullopt and the reason.
std::optional<Column> read_group_column(const Node& group, const std::string& name, std::string& reason) {
  const std::string type = encoding_type(group);
  if (type == "categorical" && known_version(group, "0.2.0")) return Column{name, read_categorical_group(group)};
  if (type.rfind("nullable-", 0) == 0 && known_version(group, "0.1.0")) return Column{name, read_nullable(group)};
  reason = encoding_text(group);
  return std::nullopt;
}

std::optional<Column> read_dataset_column(const Node& dataset, const std::string& name, std::string& reason) {
  if (const auto categories = hdf5::reference_attribute(dataset, "categories")) {
    return Column{name, make_categorical(dataset, hdf5::read_integers(dataset),
                                         hdf5::read_as_text(dataset.open_reference(*categories)))};
  }
  const std::string type = encoding_type(dataset);
  if (!type.empty() && !((type == "array" || type == "string-array") && known_version(dataset, "0.2.0"))) {
    reason = encoding_text(dataset);
    return std::nullopt;
  }
  const hdf5::DatasetInfo info = hdf5::describe_dataset(dataset);
  if (info.null || info.shape.size() != 1) {
    reason = fmt::format("it has {} dimensions", info.shape.size());
    return std::nullopt;
  }
  if (info.type.is_string()) return Column{name, hdf5::read_strings(dataset)};
  if (info.type.is_number()) return Column{name, read_numbers(dataset)};
  reason = "its elements are of type " + hdf5::dtype_name(info.type);
  return std::nullopt;
}

std::string index_name(const Node& frame) {
  if (const auto name = string_attribute(frame, "_index")) return *name;
  for (const char* usual : {"_index", "index"}) {
    if (frame.has(usual)) return usual;
  }
  frame.fail("has no attribute '_index', which names the dataset of the row names. The file is not complete.");
}

Strings read_index(const Node& frame) {
  const Node index = frame.open(index_name(frame));
  if (index.is_dataset()) return hdf5::read_as_text(index);
  expect_encoding(index, "nullable-string-array", {"0.1.0"});
  auto values = read_nullable(index);
  if (auto* strings = std::get_if<Strings>(&values)) return std::move(*strings);
  index.fail("holds numbers, expected the names of the rows");
}

Frame read_group_frame(const Node& group) {
  expect_encoding(group, "dataframe", {"0.1.0", "0.2.0"});
  Frame frame;
  frame.names = read_index(group);
  const auto order = hdf5::strings_attribute(group, "column-order");
  if (!order)
    group.fail("has no attribute 'column-order', expected the list of its columns. The file is not complete.");
  for (const std::string& name : *order) {
    const Node node = group.open(name);
    std::string reason;
    std::optional<Column> column =
        node.is_group() ? read_group_column(node, name, reason) : read_dataset_column(node, name, reason);
    if (column) {
      expect_rows(node, static_cast<std::size_t>(row_count(*column)), frame.names.size());
      frame.table.columns.push_back(std::move(*column));
    } else {
      frame.table.unread.push_back({name, reason, node.place()});
    }
  }
  return frame;
}

// Integer codes whose names are in uns/COLUMN_categories. Both tables share that entry, so the codes must fit.
std::optional<Categorical> legacy_categories(const Node* uns, const hdf5::CompoundField& field,
                                             const std::vector<double>& values) {
  if (!uns || !field.type.is_integer() || !uns->has(field.name + "_categories")) return std::nullopt;
  const Node node = uns->open_dataset(field.name + "_categories");
  const Strings names = hdf5::read_as_text(node);
  const auto fits = [&](double v) { return v >= -1.0 && v < static_cast<double>(names.size()); };
  if (!std::all_of(values.begin(), values.end(), fits)) return std::nullopt;
  return make_categorical(node, std::vector<std::int64_t>(values.begin(), values.end()), names);
}

Frame read_compound_frame(const Node& dataset, const Node* uns) {
  Frame frame;
  const std::vector<hdf5::CompoundField> fields = hdf5::compound_fields(dataset);
  if (fields.empty() || !(fields[0].type.is_string() || fields[0].type.is_number())) {
    dataset.fail("has no field for the row names, expected a first field 'index'");
  }
  for (const hdf5::CompoundField& field : fields) {
    const bool is_index = &field == fields.data();
    if (field.type.is_string()) {
      Strings strings = hdf5::read_field_strings(dataset, field);
      if (is_index)
        frame.names = std::move(strings);
      else
        frame.table.columns.push_back({field.name, std::move(strings)});
    } else if (field.type.is_number()) {
      Numbers numbers;
      numbers.kind = number_kind(field.type);
      numbers.values = hdf5::read_field_numbers(dataset, field);
      if (is_index) {
        for (const double value : numbers.values) frame.names.push_back(fmt::format("{}", value));
      } else if (auto labels = legacy_categories(uns, field, numbers.values)) {
        frame.table.columns.push_back({field.name, std::move(*labels)});
      } else {
        frame.table.columns.push_back({field.name, std::move(numbers)});
      }
    } else {
      frame.table.unread.push_back(
          {field.name, "its elements are of type " + hdf5::dtype_name(field.type), dataset.place() + "/" + field.name});
    }
  }
  return frame;
}

}  // namespace

void expect_encoding(const Node& node, const std::string& type, const std::vector<std::string>& versions) {
  const std::string found = encoding_type(node);
  if (!found.empty() && found != type) node.fail(fmt::format("has encoding '{}', expected '{}'", found, type));
  const auto version = string_attribute(node, "encoding-version");
  if (version && std::find(versions.begin(), versions.end(), *version) == versions.end()) {
    node.fail(
        fmt::format("has version '{}' of the encoding '{}', expected {}. The file was written by a newer program: "
                    "write it again with anndata 0.8 to 0.13.",
                    *version, type, fmt::join(versions, " or ")));
  }
}

Generation generation(const Node& root) {
  for (const char* name : {"obs", "var"}) {
    if (!root.has(name))
      root.fail(fmt::format("has no '{}', expected the tables obs and var of an AnnData file", name));
  }
  if (!encoding_type(root).empty()) {
    expect_encoding(root, "anndata", {"0.1.0"});
    return Generation::encoded;
  }
  return root.open("obs").is_dataset() ? Generation::compound : Generation::references;
}

const char* layout_name(Generation generation) {
  if (generation == Generation::compound) return "AnnData up to 0.6";
  return generation == Generation::references ? "AnnData 0.7" : "AnnData 0.8 or later";
}

Frame read_frame(const Node& frame, const Node* uns) {
  return frame.is_group() ? read_group_frame(frame) : read_compound_frame(frame, uns);
}

std::int64_t frame_rows(const Node& frame) {
  if (frame.is_dataset()) return hdf5::readable_dataset(frame).elements();
  const Node index = frame.open(index_name(frame));
  return hdf5::readable_dataset(index.is_group() ? index.open_dataset("values") : index).elements();
}

}  // namespace genexx::h5ad

// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad_elements.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx::h5ad {
namespace {

using hdf5::Node;

constexpr std::int64_t kChunkElements = std::int64_t{1} << 16;
constexpr std::int64_t kBytesPerName = 16;  // of a variable-length string inside an attribute

void write_categorical(const Node& table, const std::string& name, const Categorical& labels, Encoding encoding) {
  if (encoding == Encoding::marked) {
    const Node group = hdf5::create_group(table, name);
    mark(group, encoding, "categorical", "0.2.0");
    hdf5::write_false_attribute(group, "ordered");
    mark(hdf5::write_codes(group, "codes", labels.codes, labels.categories.size()), encoding, "array", "0.2.0");
    write_string_array(group, "categories", labels.categories, encoding);
    return;
  }
  const Node all = hdf5::open_or_create_group(table, "__categories");
  if (all.has(name)) hdf5::remove_link(all, name);
  const Node categories = hdf5::write_strings(all, name, labels.categories);
  hdf5::write_false_attribute(categories, "ordered");
  const Node codes = hdf5::write_codes(table, name, labels.codes, labels.categories.size());
  hdf5::write_reference_attribute(codes, "categories", categories);
}

std::vector<std::int8_t> missing_mask(const std::vector<double>& values) {
  std::vector<std::int8_t> mask;
  for (const double value : values) mask.push_back(std::isnan(value) ? 1 : 0);
  return mask;
}

std::vector<std::int8_t> as_flags(const std::vector<double>& values) {
  std::vector<std::int8_t> flags;
  for (const double value : values) flags.push_back(value != 0.0 && !std::isnan(value) ? 1 : 0);
  return flags;
}

std::vector<std::int64_t> as_integers(const std::vector<double>& values) {
  std::vector<std::int64_t> integers;
  for (const double value : values) integers.push_back(std::isnan(value) ? 0 : static_cast<std::int64_t>(value));
  return integers;
}

// Whether every value can be an int64 that is the same number.
bool fits_integers(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) {
    return std::isnan(value) || (std::abs(value) < 0x1p63 && value == std::floor(value));
  });
}

void write_numbers(const Node& table, const std::string& name, const Numbers& numbers, Encoding encoding) {
  const std::vector<std::int8_t> mask = missing_mask(numbers.values);
  const bool has_missing = std::find(mask.begin(), mask.end(), 1) != mask.end();
  const bool is_boolean = numbers.kind == NumberKind::boolean;
  const bool is_integer = numbers.kind == NumberKind::integer && fits_integers(numbers.values);
  if ((!is_boolean && !is_integer) || (has_missing && encoding == Encoding::unmarked)) {
    mark(hdf5::write_doubles(table, name, numbers.values), encoding, "array", "0.2.0");
    return;
  }
  const Node parent = has_missing ? hdf5::create_group(table, name) : table;
  const std::string member = has_missing ? "values" : name;
  const Node values = is_boolean ? hdf5::write_booleans(parent, member, as_flags(numbers.values))
                                 : hdf5::write_int64s(parent, member, as_integers(numbers.values));
  mark(values, encoding, "array", "0.2.0");
  if (!has_missing) return;
  mark(hdf5::write_booleans(parent, "mask", mask), encoding, "array", "0.2.0");
  mark(parent, encoding, is_boolean ? "nullable-boolean" : "nullable-integer", "0.1.0");
}

std::string safe_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  if (name.empty() || name == "." || name == "..") name += "_";
  return name;
}

std::string free_index_name(const std::set<std::string>& taken) {
  std::string name = "_index";
  while (taken.count(name)) name += "_";
  return name;
}

}  // namespace

void mark(const Node& node, Encoding encoding, const std::string& type, const std::string& version) {
  if (encoding == Encoding::unmarked) return;
  hdf5::write_attribute(node, "encoding-type", type);
  hdf5::write_attribute(node, "encoding-version", version);
}

Node open_or_create_dict(const Node& parent, const std::string& name, Encoding encoding) {
  if (parent.has(name)) return parent.open_group(name);
  Node group = hdf5::create_group(parent, name);
  mark(group, encoding, "dict", "0.1.0");
  return group;
}

void write_string_array(const Node& parent, const std::string& name, const std::vector<std::string>& values,
                        Encoding encoding) {
  mark(hdf5::write_strings(parent, name, values), encoding, "string-array", "0.2.0");
}

void write_dense(const Node& parent, const std::string& name, const DenseMatrix& matrix, Encoding encoding) {
  hdf5::DatasetPlan plan{.file_type = H5T_IEEE_F32LE, .shape = {matrix.rows, matrix.cols}};
  if (matrix.gzip_level > 0 && matrix.rows > 0 && matrix.cols > 0) {
    const std::int64_t cols = std::min(matrix.cols, kChunkElements);
    plan.chunk = {std::clamp<std::int64_t>(kChunkElements / cols, 1, matrix.rows), cols};
    plan.gzip_level = matrix.gzip_level;
  }
  const Node dataset = hdf5::create_dataset(parent, name, plan);
  if (matrix.rows > 0 && matrix.cols > 0) hdf5::write_all(dataset, H5T_NATIVE_FLOAT, matrix.values);
  mark(dataset, encoding, "array", "0.2.0");
}

void write_column(const Node& table, const Column& column, Encoding encoding) {
  const std::string name = safe_name(column.name);
  if (const auto* labels = std::get_if<Categorical>(&column.values)) {
    write_categorical(table, name, *labels, encoding);
  } else if (const auto* strings = std::get_if<Strings>(&column.values)) {
    write_string_array(table, name, *strings, encoding);
  } else {
    write_numbers(table, name, std::get<Numbers>(column.values), encoding);
  }
}

void write_table(const Node& parent, const std::string& name, const Frame& frame) {
  std::vector<std::string> order;
  std::set<std::string> taken;
  for (const Column& column : frame.table.columns) {
    order.push_back(safe_name(column.name));
    if (!taken.insert(order.back()).second) {
      throw UsageError(
          fmt::format("the table {} would have two columns '{}'. Rename one of them.", name, order.back()));
    }
  }
  const Node group = hdf5::create_group(parent, name, kBytesPerName * static_cast<std::int64_t>(order.size()));
  mark(group, Encoding::marked, "dataframe", "0.2.0");
  const std::string index = free_index_name(taken);
  hdf5::write_attribute(group, "_index", index);
  hdf5::write_attribute(group, "column-order", order);
  write_string_array(group, index, frame.names, Encoding::marked);
  for (const Column& column : frame.table.columns) write_column(group, column, Encoding::marked);
}

}  // namespace genexx::h5ad

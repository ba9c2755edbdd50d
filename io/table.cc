// SPDX-License-Identifier: Apache-2.0
#include "io/table.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace genexx {
namespace {

std::string number_text(double value, NumberKind kind) {
  if (kind == NumberKind::boolean) return value == 0.0 ? "False" : "True";
  if (value == std::floor(value) && std::abs(value) < 0x1p53) return fmt::format("{:.0f}", value + 0.0);
  return fmt::format("{}", value);
}

Categorical categorical_of_strings(const Strings& strings) {
  std::map<std::string, std::int32_t> code_of;
  for (const std::string& s : strings) {
    if (!s.empty()) code_of.emplace(s, 0);
  }
  Categorical labels;
  for (auto& entry : code_of) {
    entry.second = static_cast<std::int32_t>(labels.categories.size());
    labels.categories.push_back(entry.first);
  }
  for (const std::string& s : strings) labels.codes.push_back(s.empty() ? -1 : code_of.at(s));
  return labels;
}

Categorical categorical_of_numbers(const Numbers& numbers) {
  std::map<double, std::int32_t> code_of;
  for (const double value : numbers.values) {
    if (!std::isnan(value)) code_of.emplace(value, 0);
  }
  Categorical labels;
  for (auto& entry : code_of) {
    entry.second = static_cast<std::int32_t>(labels.categories.size());
    labels.categories.push_back(number_text(entry.first, numbers.kind));
  }
  for (const double value : numbers.values) labels.codes.push_back(std::isnan(value) ? -1 : code_of.at(value));
  return labels;
}

}  // namespace

std::int64_t row_count(const Column& column) {
  if (const auto* strings = std::get_if<Strings>(&column.values)) return static_cast<std::int64_t>(strings->size());
  if (const auto* labels = std::get_if<Categorical>(&column.values)) {
    return static_cast<std::int64_t>(labels->codes.size());
  }
  return static_cast<std::int64_t>(std::get<Numbers>(column.values).values.size());
}

Categorical as_categorical(const Column& column) {
  if (const auto* strings = std::get_if<Strings>(&column.values)) return categorical_of_strings(*strings);
  if (const auto* labels = std::get_if<Categorical>(&column.values)) return *labels;
  return categorical_of_numbers(std::get<Numbers>(column.values));
}

std::vector<std::int64_t> category_counts(const Categorical& labels) {
  std::vector<std::int64_t> counts(labels.categories.size());
  for (const std::int32_t code : labels.codes) {
    if (code >= 0) ++counts[static_cast<std::size_t>(code)];
  }
  return counts;
}

const Column* ObsTable::find(const std::string& name) const {
  const auto at = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  return at == columns.end() ? nullptr : &*at;
}

void truncate_rows(ObsTable& table, std::int64_t rows) {
  const auto keep = static_cast<std::size_t>(rows);
  for (Column& column : table.columns) {
    if (auto* strings = std::get_if<Strings>(&column.values)) strings->resize(std::min(keep, strings->size()));
    if (auto* labels = std::get_if<Categorical>(&column.values)) {
      labels->codes.resize(std::min(keep, labels->codes.size()));
    }
    if (auto* numbers = std::get_if<Numbers>(&column.values)) {
      numbers->values.resize(std::min(keep, numbers->values.size()));
    }
  }
}

}  // namespace genexx

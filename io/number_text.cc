// SPDX-License-Identifier: Apache-2.0
#include "io/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace genexx {
namespace {

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] - 'A' + 'a') : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

bool is_missing(std::string_view field) {
  return field.empty() || equals_ignoring_case(field, "na") || equals_ignoring_case(field, "nan") ||
         equals_ignoring_case(field, "n/a") || equals_ignoring_case(field, "null");
}

}  // namespace

NumberField parse_number(std::string_view field, float& value) {
  field = trim(field);
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = trim(field.substr(1, field.size() - 2));
  }
  if (is_missing(field)) {
    value = std::numeric_limits<float>::quiet_NaN();
    return NumberField::number;
  }
  if (field.front() == '+' && field.size() > 1 && field[1] != '-') field.remove_prefix(1);
  double number = 0;
  const std::from_chars_result read = std::from_chars(field.data(), field.data() + field.size(), number);
  if (read.ptr != field.data() + field.size()) return NumberField::not_a_number;
  if (read.ec == std::errc::result_out_of_range) {
    // The standard does not say which end was passed; a negative exponent does.
    if (field.find("e-") == std::string_view::npos && field.find("E-") == std::string_view::npos) {
      return NumberField::out_of_range;
    }
    number = 0;
  } else if (read.ec != std::errc()) {
    return NumberField::not_a_number;
  }
  if (std::isfinite(number) && std::abs(number) > std::numeric_limits<float>::max()) return NumberField::out_of_range;
  value = static_cast<float>(number);
  return NumberField::number;
}

bool split_fields(std::string_view line, char delimiter, std::vector<std::string>& fields) {
  fields.clear();
  std::size_t at = 0;
  for (;;) {
    std::string field;
    if (at < line.size() && line[at] == '"') {
      ++at;
      for (;;) {
        const std::size_t quote = line.find('"', at);
        if (quote == std::string_view::npos) return false;
        field.append(line.substr(at, quote - at));
        at = quote + 1;
        if (at >= line.size() || line[at] != '"') break;
        field.push_back('"');
        ++at;
      }
      if (at < line.size() && line[at] != delimiter) return false;
    } else {
      const std::size_t stop = std::min(line.find(delimiter, at), line.size());
      field.assign(line.substr(at, stop - at));
      at = stop;
    }
    fields.push_back(std::move(field));
    if (at >= line.size()) return true;
    ++at;
  }
}

}  // namespace genexx

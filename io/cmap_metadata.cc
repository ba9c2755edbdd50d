// SPDX-License-Identifier: Apache-2.0
#include "io/cmap_metadata.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx {
namespace {

bool is_missing(const std::string& text) { return text.empty() || text == kCmapMissing || text == "-666.0"; }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Whole numbers whose text would not come back ("007") are names, not numbers.
bool parse_whole_text(const std::string& text, double& value) {
  const std::size_t digits = text[0] == '-' ? 1 : 0;
  if (text.size() > digits + 1 && text[digits] == '0' && text[digits + 1] != '.') return false;
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && std::isfinite(value);
}

}  // namespace

Column cmap_column(const std::string& name, std::vector<std::string> values) {
  bool numeric = name != "id" && !ends_with(name, "_id"), whole = true, any = false;
  Numbers numbers;
  for (std::string& text : values) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (is_missing(text)) {
      text.clear();
      whole = false;
    } else if (numeric) {
      numeric = parse_whole_text(text, value);
      whole = whole && text.find_first_of(".eE") == std::string::npos && std::abs(value) < 9e15;
      any = true;
    }
    if (numeric) numbers.values.push_back(value);
  }
  if (!numeric || !any) return {name, Strings(std::move(values))};
  numbers.kind = whole ? NumberKind::integer : NumberKind::real;
  return {name, std::move(numbers)};
}

std::vector<std::string> cmap_text(const Column& column) {
  const Categorical labels = as_categorical(column);
  std::vector<std::string> texts;
  texts.reserve(labels.codes.size());
  for (const std::int32_t code : labels.codes) {
    texts.push_back(code < 0 ? std::string(kCmapMissing) : labels.categories[static_cast<std::size_t>(code)]);
    if (texts.back().empty()) texts.back() = kCmapMissing;
  }
  return texts;
}

void expect_ids(const std::string& where, const std::string& what, const std::vector<std::string>& ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!is_missing(ids[i])) continue;
    throw InputError(
        fmt::format("{}: {} {} has no id ('{}'); every row and column needs one. Fill it in or drop the {}.", where,
                    what, i + 1, ids[i], what));
  }
}

}  // namespace genexx

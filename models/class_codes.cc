// SPDX-License-Identifier: Apache-2.0
#include "models/class_codes.h"

#include <algorithm>
#include <set>

#include "engine/error.h"

namespace genexx {

ClassCodes encode_classes(std::span<const std::string> labels) {
  std::set<std::string> names(labels.begin(), labels.end());
  names.erase("");
  ClassCodes result;
  result.names.assign(names.begin(), names.end());
  result.codes = encode_with(result.names, labels);
  return result;
}

std::vector<std::int32_t> encode_with(std::span<const std::string> names, std::span<const std::string> labels) {
  std::vector<std::int32_t> codes;
  codes.reserve(labels.size());
  for (const std::string& label : labels) {
    const auto at = std::lower_bound(names.begin(), names.end(), label);
    const bool known = !label.empty() && at != names.end() && *at == label;
    codes.push_back(known ? static_cast<std::int32_t>(at - names.begin()) : kNoClass);
  }
  return codes;
}

std::vector<std::int64_t> class_sizes(std::span<const std::int32_t> codes, std::int64_t classes) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] < 0) continue;
    if (codes[i] >= classes)
      throw ShapeError("class code " + std::to_string(codes[i]) + " of cell " + std::to_string(i) +
                           ", expected less than " + std::to_string(classes),
                       CodeLocation::here());
    ++sizes[static_cast<std::size_t>(codes[i])];
  }
  return sizes;
}

}  // namespace genexx

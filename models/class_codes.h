// SPDX-License-Identifier: Apache-2.0
// Names of classes (cell types, donors, batches) as integers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace genexx {

// The code of a cell without a label.
constexpr std::int32_t kNoClass = -1;

struct ClassCodes {
  std::vector<std::string> names;   // ascending by bytes, each once; names[code] is the name
  std::vector<std::int32_t> codes;  // one a cell; kNoClass where the label is empty
};

// Integers by sorted name, so that they depend on the set of names alone. O(n log k).
ClassCodes encode_classes(std::span<const std::string> labels);

// The same with names that are given (a trained model's): kNoClass where the label is not among them. `names` must be
// ascending.
std::vector<std::int32_t> encode_with(std::span<const std::string> names, std::span<const std::string> labels);

// Cells of each class: [classes]. Codes below zero are not counted. Throws ShapeError when a code is not below
// `classes`.
std::vector<std::int64_t> class_sizes(std::span<const std::int32_t> codes, std::int64_t classes);

}  // namespace genexx

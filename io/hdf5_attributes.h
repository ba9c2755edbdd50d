// SPDX-License-Identifier: Apache-2.0
// Attributes of groups and datasets. Each function returns nullopt when there is no attribute of that name, and throws
// InputError when there is one that it cannot take: another type, or over kMaximumAttributeBytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/hdf5.h"

namespace genexx::hdf5 {

bool has_attribute(const Node& node, const std::string& name);

// Text of one string, fixed or variable, scalar or a single element.
std::optional<std::string> string_attribute(const Node& node, const std::string& name);

// A list of strings. An empty list may have any element type: h5py stores an empty one as reals.
std::optional<std::vector<std::string>> strings_attribute(const Node& node, const std::string& name);

std::optional<std::vector<std::int64_t>> integers_attribute(const Node& node, const std::string& name);

std::optional<hobj_ref_t> reference_attribute(const Node& node, const std::string& name);

}  // namespace genexx::hdf5

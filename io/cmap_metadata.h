// SPDX-License-Identifier: Apache-2.0
// What GCT and GCTX share: fields about rows and columns as text, where -666 stands for "missing".
#pragma once

#include <string>
#include <vector>

#include "io/table.h"

namespace genexx {

// The missing value of the metadata; some writers put it into the matrix as well.
inline constexpr char kCmapMissing[] = "-666";
inline constexpr float kCmapMissingNumber = -666.0f;

// A field read as text: numbers where every value present is one, else strings; -666 is missing. A field whose numbers
// have leading zeros or that is called id or ends in _id stays text.
Column cmap_column(const std::string& name, std::vector<std::string> values);

// The same field as text to be written: missing values as -666.
std::vector<std::string> cmap_text(const Column& column);

// Throws InputError "WHERE: WHAT 3 has no id" for the first id that is empty or -666. `what` is "row" or "column".
void expect_ids(const std::string& where, const std::string& what, const std::vector<std::string>& ids);

}  // namespace genexx

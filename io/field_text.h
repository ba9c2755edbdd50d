// SPDX-License-Identifier: Apache-2.0
// Names as fields of text tables: nothing in a name may break the line it stands in.
#pragma once

#include <string>
#include <string_view>

namespace genexx {

// For tables separated by tabs, which know no quotes: tabs and line ends become spaces.
std::string one_line(std::string text);

// For tables separated by commas: in quotes, those inside doubled, where the text holds a comma, a tab, a quote or a
// line end.
std::string csv_field(const std::string& text);

// The first characters of a text, for messages.
std::string excerpt(std::string_view text);

}  // namespace genexx

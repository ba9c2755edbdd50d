// SPDX-License-Identifier: Apache-2.0
// Names from text files as UTF-8, since they go into JSON and HDF5.
#pragma once

#include <string>
#include <string_view>

namespace genexx {

// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

// `text` itself where it is UTF-8; otherwise its bytes read as Latin-1, which is what old spreadsheets write.
std::string utf8_text(std::string text);

}  // namespace genexx

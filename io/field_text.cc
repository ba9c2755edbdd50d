// SPDX-License-Identifier: Apache-2.0
#include "io/field_text.h"

#include <algorithm>

namespace genexx {
namespace {

constexpr std::size_t kExcerpt = 40;

}  // namespace

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\t\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string excerpt(std::string_view text) {
  return text.size() > kExcerpt ? std::string(text.substr(0, kExcerpt)) + "..." : std::string(text);
}

}  // namespace genexx

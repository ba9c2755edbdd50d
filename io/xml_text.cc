// SPDX-License-Identifier: Apache-2.0
#include "io/xml_text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace genexx {
namespace {

std::string utf8(std::uint32_t code) {
  std::string out;
  const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6);
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  }
  return out;
}

// What stands between '&' and ';'.
std::optional<std::string> entity(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kNames{
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& known : kNames) {
    if (name == known.first) return std::string(1, known.second);
  }
  if (name.size() < 2 || name[0] != '#') return std::nullopt;
  const bool is_hex = name[1] == 'x';
  const char* begin = name.data() + (is_hex ? 2 : 1);
  const char* end = name.data() + name.size();
  std::uint32_t code = 0;
  const auto parsed = std::from_chars(begin, end, code, is_hex ? 16 : 10);
  if (parsed.ec != std::errc() || parsed.ptr != end || code == 0 || code > 0x10FFFF) return std::nullopt;
  return utf8(code);
}

}  // namespace

std::string decode_xml_entities(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    const auto replacement = end == std::string_view::npos ? std::nullopt : entity(text.substr(i + 1, end - i - 1));
    if (replacement) {
      out += *replacement;
      i = end + 1;
    } else {
      out.push_back(text[i++]);
    }
  }
  return out;
}

}  // namespace genexx

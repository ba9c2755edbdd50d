// SPDX-License-Identifier: Apache-2.0
#include "tools/option_checks.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

namespace genexx::tools {
namespace {

template <class T>
bool parses(const std::string& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// A check that says what was expected; CLI11 adds the option's name.
template <class Holds>
CLI::Validator check(const char* expected, Holds holds) {
  return CLI::Validator(
      [expected, holds](std::string& text) {
        return holds(text) ? std::string() : "found '" + text + "', expected " + expected;
      },
      "");
}

}  // namespace

CLI::Validator whole_number() {
  return check("a whole number from 0, below 2^64", [](const std::string& text) {
    std::uint64_t value = 0;
    return parses(text, value);
  });
}

CLI::Validator positive_count() {
  return check("a whole number from 1", [](const std::string& text) {
    std::int64_t value = 0;
    return parses(text, value) && value >= 1;
  });
}

CLI::Validator duration() {
  return check("seconds, a number from 0", [](const std::string& text) {
    double value = 0;
    return parses(text, value) && std::isfinite(value) && value >= 0;
  });
}

}  // namespace genexx::tools

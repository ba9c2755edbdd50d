// SPDX-License-Identifier: Apache-2.0
#include "io/number_text.h"

#include <clocale>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace genexx;

namespace {

float number(std::string_view field) {
  float value = -12345;
  REQUIRE(parse_number(field, value) == NumberField::number);
  return value;
}

NumberField status(std::string_view field) {
  float value = 0;
  return parse_number(field, value);
}

}  // namespace

TEST_CASE("number_text: the forms numbers come in") {
  CHECK(number("0.0") == 0.0f);
  CHECK(number("-1.5e-3") == -1.5e-3f);
  CHECK(number("+7") == 7.0f);
  CHECK(number(" 12 ") == 12.0f);
  CHECK(number("\"3.25\"") == 3.25f);
  CHECK(number("16777217") == 16777216.0f);
  CHECK(number("1E5") == 1e5f);
  CHECK(number("1e-400") == 0.0f);
  CHECK(std::isinf(number("inf")));
  CHECK(number("-Infinity") == -std::numeric_limits<float>::infinity());
}

TEST_CASE("number_text: missing values are NaN") {
  CHECK(std::isnan(number("")));
  CHECK(std::isnan(number("NaN")));
  CHECK(std::isnan(number("NA")));
  CHECK(std::isnan(number("n/a")));
  CHECK(std::isnan(number("null")));
}

TEST_CASE("number_text: text is not a number") {
  CHECK(status("abc") == NumberField::not_a_number);
  CHECK(status("1,5") == NumberField::not_a_number);
  CHECK(status("1.2.3") == NumberField::not_a_number);
  CHECK(status("0x1F") == NumberField::not_a_number);
  CHECK(status("12 cells") == NumberField::not_a_number);
  CHECK(status("+-1") == NumberField::not_a_number);
  CHECK(status("-") == NumberField::not_a_number);
}

TEST_CASE("number_text: numbers no float can hold are out of range") {
  CHECK(status("1e39") == NumberField::out_of_range);
  CHECK(status("-1e400") == NumberField::out_of_range);
}

TEST_CASE("number_text: the locale does not matter") {
  const char* german = std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
  const float value = number("1.5");
  std::setlocale(LC_NUMERIC, "C");

  CHECK(value == 1.5f);
  if (!german) MESSAGE("locale de_DE.UTF-8 is not installed; the default was used");
}

TEST_CASE("number_text: fields with quotes, doubled quotes and empty ends") {
  std::vector<std::string> fields;

  REQUIRE(split_fields("a,\"b,c\",\"d\"\"e\",,f,", ',', fields));

  CHECK(fields == std::vector<std::string>{"a", "b,c", "d\"e", "", "f", ""});
}

TEST_CASE("number_text: an open quote is refused") {
  std::vector<std::string> fields;

  CHECK_FALSE(split_fields("a,\"b", ',', fields));
  CHECK_FALSE(split_fields("\"a\"b,c", ',', fields));
}

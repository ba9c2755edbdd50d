// SPDX-License-Identifier: Apache-2.0
#include "io/utf8_text.h"

#include <doctest/doctest.h>

using namespace genexx;

TEST_CASE("utf8_text: well-formed text of one to four bytes a letter") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("CD4+/CD25 T Reg"));
  CHECK(is_utf8("\xCE\xB2 cell"));
  CHECK(is_utf8("\xE2\x82\xAC\xED\x9F\xBF"));
  CHECK(is_utf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

TEST_CASE("utf8_text: malformed text") {
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("\xC0\x80"));          // overlong
  CHECK_FALSE(is_utf8("\xE0\x80\x80"));      // overlong
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));  // over U+10FFFF
  CHECK_FALSE(is_utf8("\xE2\x82"));          // cut
  CHECK_FALSE(is_utf8("\xFF"));
}

TEST_CASE("utf8_text: Latin-1 is converted, UTF-8 stays") {
  CHECK(utf8_text("\xB5g \xE9") == "\xC2\xB5g \xC3\xA9");
  CHECK(utf8_text("\xCE\xB2") == "\xCE\xB2");
}

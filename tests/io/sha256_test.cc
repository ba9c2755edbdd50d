// SPDX-License-Identifier: Apache-2.0
#include "io/sha256.h"

#include <fstream>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/support/data.h"

using namespace genexx;

namespace {

std::string digest(const std::string& text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

}  // namespace

// Answers of the standard's examples (FIPS 180-4; NIST "SHA examples").
TEST_CASE("sha256: known answers") {
  CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: of a file, of a directory, and of what is not there") {
  const test::TemporaryDirectory dir;
  std::ofstream(dir.file("x")) << "abc";

  CHECK(sha256_of(dir.file("x")) == digest("abc"));
  CHECK(sha256_of(dir.path()) == digest("xabc"));
  CHECK_THROWS_WITH_AS(sha256_of(dir.file("y")), doctest::Contains("cannot be opened"), InputError);
}

// SPDX-License-Identifier: Apache-2.0
#include "models/class_codes.h"

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace genexx;

TEST_CASE("class_codes: codes follow the sorted names, whatever the order of the cells") {
  const std::vector<std::string> labels = {"T cell", "B cell", "", "NK/T", "B cell", "b"};

  const ClassCodes classes = encode_classes(labels);

  CHECK(classes.names == std::vector<std::string>{"B cell", "NK/T", "T cell", "b"});
  CHECK(classes.codes == std::vector<std::int32_t>{2, 0, kNoClass, 1, 0, 3});
}

TEST_CASE("class_codes: with given names an unknown label has no class") {
  const std::vector<std::string> names = {"alpha", "beta"};
  const std::vector<std::string> labels = {"beta", "gamma", "alpha", "", "aa"};

  CHECK(encode_with(names, labels) == std::vector<std::int32_t>{1, kNoClass, 0, kNoClass, kNoClass});
}

TEST_CASE("class_codes: no labels, no classes") {
  CHECK(encode_classes({}).names.empty());
  CHECK(encode_classes(std::vector<std::string>{"", ""}).names.empty());
}

TEST_CASE("class_codes: sizes count labelled cells and name a code that is too large") {
  const std::vector<std::int32_t> codes = {0, 2, kNoClass, 2};

  CHECK(class_sizes(codes, 4) == std::vector<std::int64_t>{1, 0, 2, 0});
  CHECK_THROWS_WITH_AS(class_sizes(codes, 2), doctest::Contains("class code 2 of cell 1, expected less than 2"),
                       ShapeError);
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden_json.h"

#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace genexx::test {

nlohmann::json golden_json(const std::string& name) {
  const std::string path = std::string(GENEXX_SOURCE_DIR) + "/tests/golden/" + name + ".json";
  std::ifstream file(path);
  INFO("reading " << path);
  REQUIRE(file.good());
  return nlohmann::json::parse(file);
}

}  // namespace genexx::test

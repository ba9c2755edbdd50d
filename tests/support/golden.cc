// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace genexx::test {

GoldenCase::GoldenCase(std::string name, std::map<std::string, std::vector<double>> arrays)
    : name_(std::move(name)), arrays_(std::move(arrays)) {}

const std::vector<double>& GoldenCase::operator[](const std::string& array) const {
  const auto found = arrays_.find(array);
  if (found == arrays_.end()) FAIL("golden case " << name_ << " has no array " << array);
  return found->second;
}

double GoldenCase::number(const std::string& array) const {
  const std::vector<double>& values = (*this)[array];
  REQUIRE(values.size() == 1);
  return values[0];
}

std::vector<std::int32_t> GoldenCase::labels(const std::string& array) const {
  const std::vector<double>& values = (*this)[array];
  return std::vector<std::int32_t>(values.begin(), values.end());
}

std::vector<GoldenCase> golden_cases(const std::string& name) {
  const std::string path = std::string(GENEXX_SOURCE_DIR) + "/tests/golden/" + name + ".json";
  std::ifstream file(path);
  INFO("reading " << path);
  REQUIRE(file.good());
  std::vector<GoldenCase> cases;
  const nlohmann::json all = nlohmann::json::parse(file);
  for (const auto& [case_name, arrays] : all.items())
    cases.push_back(GoldenCase(case_name, arrays.get<std::map<std::string, std::vector<double>>>()));
  REQUIRE(!cases.empty());
  return cases;
}

}  // namespace genexx::test

// SPDX-License-Identifier: Apache-2.0
// Inputs and results written down by PyTorch (tests/golden/make_goldens.py): the opinion of an outside program.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace genexx::test {

// Named arrays of one case, row-major; a single number is an array of one.
class GoldenCase {
 public:
  GoldenCase(std::string name, std::map<std::string, std::vector<double>> arrays);
  const std::string& name() const { return name_; }
  bool has(const std::string& array) const { return arrays_.count(array) > 0; }
  // Fails the test, naming the array, when there is none of that name.
  const std::vector<double>& operator[](const std::string& array) const;
  double number(const std::string& array) const;
  std::int64_t size(const std::string& array) const { return static_cast<std::int64_t>(number(array)); }
  std::vector<std::int32_t> labels(const std::string& array) const;

 private:
  std::string name_;
  std::map<std::string, std::vector<double>> arrays_;
};

// The cases of tests/golden/NAME.json; at least one, or the test fails.
std::vector<GoldenCase> golden_cases(const std::string& name);

}  // namespace genexx::test

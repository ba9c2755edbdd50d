// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden_network.h"

#include <doctest/doctest.h>
#include <cmath>
#include <cstring>

namespace genexx::test {

double relative_distance(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

std::vector<NamedTensor> golden_weights(const Network& network, const GoldenCase& run, DType dtype) {
  std::vector<NamedTensor> all;
  for (const ParameterSpec& p : network.parameters()) {
    NamedTensor t;
    t.name = p.name;
    t.dtype = dtype;
    t.shape = {1};
    t.shape.insert(t.shape.end(), p.shape.begin(), p.shape.end());
    const std::vector<double>& digits = run["initial/" + p.name];  // nine of them: enough to find the f32 again
    const std::vector<float> narrow(digits.begin(), digits.end());
    const std::vector<double> wide(narrow.begin(), narrow.end());
    t.bytes.resize(wide.size() * static_cast<std::size_t>(size_of(dtype)));
    std::memcpy(t.bytes.data(), dtype == DType::f64 ? static_cast<const void*>(wide.data()) : narrow.data(),
                t.bytes.size());
    all.push_back(std::move(t));
  }
  return all;
}

}  // namespace genexx::test

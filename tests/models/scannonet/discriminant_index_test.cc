// SPDX-License-Identifier: Apache-2.0
#include "models/scannonet/discriminant_index.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "tests/support/op_test.h"

using namespace genexx;
using namespace genexx::scannonet;

namespace {

// The published n x n form for one gene: L = I - W with W = 1/n_c within a class; within = x' L x, between = x' W x.
double published_score(const std::vector<double>& x, const std::vector<std::int32_t>& type, double beta) {
  double within = 0, total = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double members = static_cast<double>(std::count(type.begin(), type.end(), type[i]));
      const double w = type[i] == type[j] ? 1 / members : 0;
      within += x[i] * ((i == j ? 1 : 0) - w) * x[j];
      total += x[i] * w * x[j];
    }
  const double d = within < 1e-12 ? 1e5 : within;
  return total / (d + 2 * beta * within);
}

}  // namespace

TEST_CASE("discriminant_index: is the n x n form in closed form") {
  constexpr std::int64_t kCells = 40, kGenes = 12;
  const std::vector<std::int32_t> type = test::random_labels(kCells, 4, 2);
  std::vector<Scatter> scatter;
  std::vector<double> published;
  for (std::int64_t g = 0; g < kGenes; ++g) {
    std::vector<double> x = test::random_values(kCells, 10 + static_cast<std::uint64_t>(g), -1, 1);
    double mean = 0;
    for (std::size_t i = 0; i < x.size(); ++i) mean += (x[i] += 0.3 * static_cast<double>(g) * type[i]) / kCells;
    for (double& v : x) v -= mean;
    Scatter s;
    for (std::int32_t t = 0; t < 4; ++t) {
      double sum = 0, members = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (type[i] != t) continue;
        sum += x[i];
        members += 1;
      }
      s.between += sum * sum / members;
      for (std::size_t i = 0; i < x.size(); ++i)
        if (type[i] == t) s.within += (x[i] - sum / members) * (x[i] - sum / members);
    }
    scatter.push_back(s);
    published.push_back(published_score(x, type, 1));
  }
  const auto [low, high] = std::minmax_element(published.begin(), published.end());

  const std::vector<double> index = discriminant_index(scatter, 1);

  for (std::size_t g = 0; g < kGenes; ++g) CHECK(std::fabs(index[g] - (published[g] - *low) / (*high - *low)) < 1e-12);
}

TEST_CASE("discriminant_index: a gene without scatter inside the types takes 1e5 for it") {
  const std::vector<double> index = discriminant_index(std::vector<Scatter>{{1e6, 0}, {0, 1}, {30, 1}}, 1);

  CHECK(index == std::vector<double>{1, 0, 1});
}

TEST_CASE("discriminant_index: equal scores become 0") {
  CHECK(discriminant_index(std::vector<Scatter>{{2, 1}, {4, 2}}, 1) == std::vector<double>{0, 0});
  CHECK(discriminant_index({}, 1).empty());
}

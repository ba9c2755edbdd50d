// SPDX-License-Identifier: Apache-2.0
#include "models/simulate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "models/random_stream.h"
#include "tests/support/text_file.h"

using namespace genexx;
using namespace genexx::test;

namespace {

SimulatedCells cells(const CellSimulation& request, int threads = 1) {
  ThreadPool pool(threads);
  return simulate_cells(request, pool);
}

double density(const CsrMatrix& matrix) {
  return static_cast<double>(matrix.nnz()) / static_cast<double>(matrix.rows * matrix.cols);
}

std::map<std::string, std::int64_t> counts(const std::vector<std::string>& names) {
  std::map<std::string, std::int64_t> count;
  for (const std::string& name : names) ++count[name];
  return count;
}

// Share of cells nearest, by cosine of log counts, to the centroid of their own type; centroids of the even cells, test
// on the odd ones.
double centroid_accuracy(const SimulatedCells& data) {
  std::vector<float> x = dense(data.counts);
  for (float& v : x) v = std::log1p(v);
  const std::int64_t genes = data.counts.cols;
  std::map<std::string, std::vector<double>> centroid;
  for (std::int64_t i = 0; i < data.counts.rows; i += 2) {
    auto& c = centroid[data.cell_types[i]];
    c.resize(genes);
    for (std::int64_t g = 0; g < genes; ++g) c[g] += x[i * genes + g];
  }
  std::vector<double> mean(genes);
  for (auto& entry : centroid) {
    double norm = 0;
    for (const double v : entry.second) norm += v * v;
    for (double& v : entry.second) v /= std::sqrt(norm);
  }
  std::int64_t right = 0;
  for (std::int64_t i = 1; i < data.counts.rows; i += 2) {
    double best = -1;
    std::string name;
    for (const auto& entry : centroid) {
      double cosine = 0;
      for (std::int64_t g = 0; g < genes; ++g) cosine += entry.second[g] * x[i * genes + g];
      if (cosine > best) best = cosine, name = entry.first;
    }
    right += name == data.cell_types[i];
  }
  return static_cast<double>(right) / static_cast<double>(data.counts.rows / 2);
}

}  // namespace

TEST_CASE("simulate cells: rows are sorted counts of the size asked for") {
  const SimulatedCells data = cells({.cells = 300, .genes = 700, .types = 5, .seed = 1});

  CHECK(data.counts.rows == 300);
  CHECK(data.counts.cols == 700);
  CHECK(data.cell_names.size() == 300);
  CHECK(data.gene_names.size() == 700);
  CHECK(std::set<std::string>(data.gene_names.begin(), data.gene_names.end()).size() == 700);
  bool sorted = true;
  for (std::int64_t row = 0; row < 300; ++row) {
    for (std::int64_t at = data.counts.row_begin[row] + 1; at < data.counts.row_begin[row + 1]; ++at) {
      sorted = sorted && data.counts.column[at - 1] < data.counts.column[at];
    }
  }
  CHECK(sorted);
  CHECK(std::all_of(data.counts.value.begin(), data.counts.value.end(),
                    [](float v) { return v >= 1 && v == std::floor(v); }));
}

TEST_CASE("simulate cells: the same seed gives the same bytes for any number of threads, another seed does not") {
  const CellSimulation request = {.cells = 1500, .genes = 400, .types = 4, .density = 0.1, .seed = 7};
  CellSimulation other = request;
  other.seed = 8;

  const SimulatedCells one = cells(request, 1);
  const SimulatedCells three = cells(request, 3);

  CHECK(one.counts.row_begin == three.counts.row_begin);
  CHECK(one.counts.column == three.counts.column);
  CHECK(one.counts.value == three.counts.value);
  CHECK(one.cell_types == three.cell_types);
  CHECK(one.donors == three.donors);
  CHECK(one.counts.column != cells(other).counts.column);
}

TEST_CASE("simulate cells: the density asked for is reached") {
  CHECK(density(cells({.cells = 2000, .genes = 3000, .density = 0.05, .seed = 2}).counts) ==
        doctest::Approx(0.05).epsilon(0.05));
  CHECK(density(cells({.cells = 1000, .genes = 500, .density = 0.01, .seed = 3}).counts) ==
        doctest::Approx(0.01).epsilon(0.05));
  CHECK(density(cells({.cells = 1000, .genes = 500, .density = 0.6, .seed = 4}).counts) ==
        doctest::Approx(0.6).epsilon(0.05));
}

TEST_CASE("simulate cells: class sizes are geometric and none is empty") {
  const SimulatedCells data = cells({.cells = 2000, .genes = 100, .types = 6, .type_ratio = 0.5, .seed = 5});

  std::map<std::string, std::int64_t> size = counts(data.cell_types);

  REQUIRE(size.size() == 6);
  CHECK(size["type_00"] > 900);
  CHECK(static_cast<double>(size["type_01"]) / static_cast<double>(size["type_00"]) ==
        doctest::Approx(0.5).epsilon(0.05));
  CHECK(size["type_05"] >= 10);
  CHECK(counts(data.donors).size() == 3);
}

TEST_CASE("simulate cells: types can be told apart but overlap, and cannot without separation") {
  const double usual = centroid_accuracy(cells({.cells = 1500, .genes = 2000, .types = 8, .density = 0.08, .seed = 6}));
  const double none = centroid_accuracy(
      cells({.cells = 1500, .genes = 2000, .types = 8, .density = 0.08, .type_ratio = 1, .separation = 0, .seed = 6}));
  MESSAGE("nearest centroid: " << usual << ", without separation: " << none);

  CHECK(usual > 0.75);
  CHECK(usual < 0.995);
  CHECK(none < 0.3);
}

TEST_CASE("simulate cells: counts vary more than a Poisson's") {
  const SimulatedCells data = cells({.cells = 4000, .genes = 300, .types = 1, .donors = 1, .density = 0.3, .seed = 9});
  const std::vector<float> x = dense(data.counts);
  std::int64_t over = 0;
  std::int64_t looked_at = 0;

  for (std::int64_t g = 0; g < 300; ++g) {
    double sum = 0;
    double squares = 0;
    for (std::int64_t i = 0; i < 4000; ++i) sum += x[i * 300 + g];
    const double mean = sum / 4000;
    for (std::int64_t i = 0; i < 4000; ++i) squares += (x[i * 300 + g] - mean) * (x[i * 300 + g] - mean);
    if (mean < 1) continue;
    ++looked_at;
    over += squares / 3999 > 1.2 * mean;
  }

  CHECK(looked_at > 10);
  CHECK(over == looked_at);
}

TEST_CASE("simulate cells: values out of range are named") {
  const auto error = [](const CellSimulation& request) { return message_of<UsageError>([&] { cells(request); }); };

  CHECK(contains(error({.cells = 0}), "cells is 0"));
  CHECK(contains(error({.genes = 3}), "genes is 3"));
  CHECK(contains(error({.cells = 5, .types = 6}), "types is 6"));
  CHECK(contains(error({.density = 0}), "density is 0"));
  CHECK(contains(error({.density = 0.95}), "density is 0.95"));
  CHECK(contains(error({.type_ratio = 1.5}), "type_ratio is 1.5"));
  CHECK(contains(error({.dispersion = -1}), "dispersion is -1"));
}

TEST_CASE("simulate landmarks: shape, names, range and the same bytes for any number of threads") {
  const LandmarkSimulation request = {.samples = 200, .landmarks = 20, .targets = 30, .seed = 1};
  ThreadPool one(1);
  ThreadPool three(3);

  const SimulatedLandmarks data = simulate_landmarks(request, one);

  CHECK(data.expression.rows == 200);
  CHECK(data.expression.cols == 50);
  CHECK(data.expression.nnz() == 10000);
  CHECK(data.gene_names[19] == "landmark_0019");
  CHECK(data.gene_names[20] == "target_00000");
  CHECK(std::all_of(data.expression.value.begin(), data.expression.value.end(),
                    [](float v) { return v >= 2 && v <= 16; }));
  CHECK(data.expression.value == simulate_landmarks(request, three).expression.value);
}

TEST_CASE("simulate landmarks: noise alone decides how far landmarks explain each other") {
  // With two factors and no noise, three landmarks of a sample are linearly dependent.
  ThreadPool pool(1);
  const SimulatedLandmarks data =
      simulate_landmarks({.samples = 50, .landmarks = 3, .targets = 1, .factors = 2, .noise = 0, .seed = 3}, pool);
  const std::vector<float> x = dense(data.expression);
  double centred[50][3];
  for (int g = 0; g < 3; ++g) {
    double mean = 0;
    for (int i = 0; i < 50; ++i) mean += x[i * 4 + g] / 50.0;
    for (int i = 0; i < 50; ++i) centred[i][g] = x[i * 4 + g] - mean;
  }
  double c[3][3] = {};
  for (int i = 0; i < 50; ++i) {
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) c[a][b] += centred[i][a] * centred[i][b] / 50;
    }
  }

  const double determinant = c[0][0] * (c[1][1] * c[2][2] - c[1][2] * c[2][1]) -
                             c[0][1] * (c[1][0] * c[2][2] - c[1][2] * c[2][0]) +
                             c[0][2] * (c[1][0] * c[2][1] - c[1][1] * c[2][0]);

  CHECK(std::abs(determinant) < 1e-4 * c[0][0] * c[1][1] * c[2][2]);
}

TEST_CASE("simulate landmarks: values out of range are named") {
  ThreadPool pool(1);
  const auto error = [&](const LandmarkSimulation& request) {
    return message_of<UsageError>([&] { simulate_landmarks(request, pool); });
  };

  CHECK(contains(error({.samples = 0}), "samples is 0"));
  CHECK(contains(error({.factors = 1}), "factors is 1"));
  CHECK(contains(error({.noise = 2}), "noise is 2"));
}

TEST_CASE("random stream: uniform, normal and Poisson have their moments") {
  RandomStream random(42, 1, 0);
  double uniform = 0, normal = 0, square = 0, small = 0, large = 0, spread = 0;
  constexpr int kDraws = 20000;

  for (int i = 0; i < kDraws; ++i) {
    uniform += random.uniform() / kDraws;
    const double z = random.normal();
    normal += z / kDraws;
    square += z * z / kDraws;
    small += static_cast<double>(random.poisson(2.5)) / kDraws;
    const auto count = static_cast<double>(random.poisson(80.0));
    large += count / kDraws;
    spread += (count - 80) * (count - 80) / kDraws;
  }

  // Five standard errors of each mean.
  CHECK(std::abs(uniform - 0.5) < 0.0102);
  CHECK(std::abs(normal) < 0.0354);
  CHECK(std::abs(square - 1) < 0.05);
  CHECK(std::abs(small - 2.5) < 0.0559);
  CHECK(std::abs(large - 80) < 0.317);
  CHECK(std::abs(spread - 80) < 4.0);
}

TEST_CASE("simulated landmarks: samples in pieces are the samples as a whole, copies lie near an earlier sample") {
  ThreadPool pool(2);
  const LandmarkSimulation request = {.samples = 60, .landmarks = 30, .targets = 50, .copies = 0.5, .seed = 9};
  const LandmarkSimulator simulator(request, pool);
  std::vector<float> pieces(60 * 80);

  simulator.fill(0, 7, pieces.data());
  simulator.fill(7, 53, pieces.data() + 7 * 80);

  CHECK(pieces == simulate_landmarks(request, pool).expression.value);
  std::int64_t copies = 0;
  for (std::size_t s = 1; s < 60; ++s) {
    double nearest = 1e9;
    for (std::size_t e = 0; e < s; ++e) {
      double squared = 0;
      for (std::size_t g = 0; g < 80; ++g) squared += std::pow(pieces[s * 80 + g] - pieces[e * 80 + g], 2);
      nearest = std::min(nearest, std::sqrt(squared));
    }
    copies += nearest < 1.0 ? 1 : 0;
    if (nearest >= 1.0) CHECK(nearest > 3.0);
  }
  CHECK(copies > 15);
  CHECK(copies < 45);
}

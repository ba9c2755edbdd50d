// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/random_stream.h"
#include "models/simulate.h"

namespace genexx {
namespace {

constexpr std::uint32_t kGeneStream = 0x6c67656eu;    // element: gene
constexpr std::uint32_t kSampleStream = 0x6c73616du;  // element: sample
constexpr double kLeast = 2.0, kMost = 16.0;          // values, on a log2 scale
// E[tanh(2u)^2] for u ~ N(0, 1), by numerical integration; the standard deviation of tanh(2u) tanh(2v) for independent
// u and v.
constexpr double kProductDeviation = 0.635261;

void check_request(const LandmarkSimulation& r) {
  const auto refuse = [](const char* field, const auto& value, const char* expected) {
    throw UsageError(fmt::format("simulated landmarks: {} is {}, expected {}", field, value, expected));
  };
  constexpr std::int64_t kMostGenes = 10'000'000;
  if (r.samples < 1 || r.samples > std::numeric_limits<std::int32_t>::max()) {
    refuse("samples", r.samples, "1 to 2147483647");
  }
  if (r.landmarks < 1 || r.landmarks > kMostGenes) refuse("landmarks", r.landmarks, "1 to 10000000");
  if (r.targets < 1 || r.targets > kMostGenes) refuse("targets", r.targets, "1 to 10000000");
  if (r.factors < 2 || r.factors > 10000) refuse("factors", r.factors, "2 to 10000");
  if (!(r.nonlinear >= 0 && r.nonlinear <= 1)) refuse("nonlinear", r.nonlinear, "0 to 1");
  if (!(r.noise >= 0 && r.noise <= 1)) refuse("noise", r.noise, "0 to 1");
}

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void normalise(Vector& v) {
  const double length = std::sqrt(dot(v, v));
  for (double& x : v) x /= length;
}

Vector unit_vector(std::int64_t size, RandomStream& random) {
  Vector v(static_cast<std::size_t>(size));
  for (double& x : v) x = random.normal();
  normalise(v);
  return v;
}

// How a gene depends on the factors. Vectors have unit length; `u` and `v` are orthogonal, so that mixtures by them are
// independent; both are empty for a landmark.
struct Gene {
  double mean = 0, deviation = 0;
  Vector linear, u, v;
};

Gene draw_gene(const LandmarkSimulation& r, std::int64_t index) {
  RandomStream random(r.seed, kGeneStream, index);
  Gene gene;
  gene.mean = 5.0 + 7.0 * random.uniform();
  gene.deviation = std::exp(-0.3 + 0.4 * random.normal());
  gene.linear = unit_vector(r.factors, random);
  if (index < r.landmarks) return gene;
  gene.u = unit_vector(r.factors, random);
  gene.v = unit_vector(r.factors, random);
  const double along = dot(gene.u, gene.v);
  for (std::size_t i = 0; i < gene.v.size(); ++i) gene.v[i] -= along * gene.u[i];
  normalise(gene.v);
  return gene;
}

double explained(const LandmarkSimulation& r, const Gene& gene, const Vector& factors) {
  const double linear = dot(gene.linear, factors);
  if (gene.u.empty()) return linear;
  const double product = std::tanh(2.0 * dot(gene.u, factors)) * std::tanh(2.0 * dot(gene.v, factors));
  return std::sqrt(1.0 - r.nonlinear) * linear + std::sqrt(r.nonlinear) * product / kProductDeviation;
}

}  // namespace

SimulatedLandmarks simulate_landmarks(const LandmarkSimulation& request, ThreadPool& pool) {
  check_request(request);
  const LandmarkSimulation r = request;
  const std::int64_t genes = r.landmarks + r.targets;
  std::vector<Gene> drawn(static_cast<std::size_t>(genes));
  const auto draw = [&](std::int64_t g) { drawn[static_cast<std::size_t>(g)] = draw_gene(r, g); };
  pool.run(genes, draw);

  SimulatedLandmarks out;
  out.expression.rows = r.samples;
  out.expression.cols = genes;
  out.expression.column.resize(static_cast<std::size_t>(r.samples * genes));
  out.expression.value.resize(static_cast<std::size_t>(r.samples * genes));
  out.expression.row_begin.resize(static_cast<std::size_t>(r.samples) + 1);
  const auto fill = [&](std::int64_t sample) {
    RandomStream random(r.seed, kSampleStream, sample);
    Vector factors(static_cast<std::size_t>(r.factors));
    for (double& z : factors) z = random.normal();
    out.expression.row_begin[static_cast<std::size_t>(sample) + 1] = (sample + 1) * genes;
    for (std::int64_t g = 0; g < genes; ++g) {
      const Gene& gene = drawn[static_cast<std::size_t>(g)];
      const double unit = std::sqrt(1.0 - r.noise) * explained(r, gene, factors) + std::sqrt(r.noise) * random.normal();
      const auto at = static_cast<std::size_t>(sample * genes + g);
      out.expression.column[at] = static_cast<std::int32_t>(g);
      out.expression.value[at] = static_cast<float>(std::clamp(gene.mean + gene.deviation * unit, kLeast, kMost));
    }
  };
  pool.run(r.samples, fill);
  for (std::int64_t s = 0; s < r.samples; ++s) out.sample_names.push_back(fmt::format("sample_{:06}", s));
  for (std::int64_t g = 0; g < r.landmarks; ++g) out.gene_names.push_back(fmt::format("landmark_{:04}", g));
  for (std::int64_t g = 0; g < r.targets; ++g) out.gene_names.push_back(fmt::format("target_{:05}", g));
  return out;
}

}  // namespace genexx

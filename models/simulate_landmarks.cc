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
constexpr std::uint32_t kCopyStream = 0x6c636f70u;    // element: sample
constexpr double kCopyNorm = 0.5;                     // of what a copy differs by
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
  if (!(r.copies >= 0 && r.copies < 1)) refuse("copies", r.copies, "0 to 1, less than 1");
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

// Sample `sample` without its copy's noise, from a stream of its own.
void fill_sample(const LandmarkSimulation& r, const std::vector<Gene>& genes, std::int64_t sample, float* values) {
  RandomStream random(r.seed, kSampleStream, sample);
  Vector factors(static_cast<std::size_t>(r.factors));
  for (double& z : factors) z = random.normal();
  for (std::size_t g = 0; g < genes.size(); ++g) {
    const Gene& gene = genes[g];
    const double unit = std::sqrt(1.0 - r.noise) * explained(r, gene, factors) + std::sqrt(r.noise) * random.normal();
    values[g] = static_cast<float>(std::clamp(gene.mean + gene.deviation * unit, kLeast, kMost));
  }
}

// The sample that `sample` copies, itself where it copies none.
std::int64_t copied_sample(const LandmarkSimulation& r, std::int64_t sample) {
  RandomStream random(r.seed, kCopyStream, sample);
  if (sample == 0 || !(random.uniform() < r.copies)) return sample;
  return std::min(sample - 1, static_cast<std::int64_t>(random.uniform() * static_cast<double>(sample)));
}

}  // namespace

struct LandmarkSimulator::Genes {
  std::vector<Gene> all;
};

LandmarkSimulator::LandmarkSimulator(const LandmarkSimulation& request, ThreadPool& pool)
    : request_(request), pool_(pool), drawn_(std::make_unique<Genes>()) {
  check_request(request_);
  drawn_->all.resize(static_cast<std::size_t>(genes()));
  const auto draw = [&](std::int64_t g) { drawn_->all[static_cast<std::size_t>(g)] = draw_gene(request_, g); };
  pool_.run(genes(), draw);
}

LandmarkSimulator::~LandmarkSimulator() = default;
LandmarkSimulator::LandmarkSimulator(LandmarkSimulator&&) noexcept = default;

std::vector<std::string> LandmarkSimulator::sample_names() const {
  std::vector<std::string> names;
  for (std::int64_t s = 0; s < request_.samples; ++s) names.push_back(fmt::format("sample_{:06}", s));
  return names;
}

std::vector<std::string> LandmarkSimulator::gene_names() const {
  std::vector<std::string> names;
  for (std::int64_t g = 0; g < request_.landmarks; ++g) names.push_back(fmt::format("landmark_{:04}", g));
  for (std::int64_t g = 0; g < request_.targets; ++g) names.push_back(fmt::format("target_{:05}", g));
  return names;
}

void LandmarkSimulator::fill(std::int64_t first, std::int64_t count, float* values) const {
  const auto one = [&](std::int64_t i) {
    const std::int64_t sample = first + i, source = copied_sample(request_, sample);
    float* row = values + i * genes();
    fill_sample(request_, drawn_->all, source, row);
    if (source == sample) return;
    RandomStream random(request_.seed, kCopyStream, sample);
    random.words();  // of the choice
    const double scale = kCopyNorm / std::sqrt(static_cast<double>(genes()));
    for (std::int64_t g = 0; g < genes(); ++g)
      row[g] = static_cast<float>(std::clamp(static_cast<double>(row[g]) + scale * random.normal(), kLeast, kMost));
  };
  pool_.run(count, one);
}

SimulatedLandmarks simulate_landmarks(const LandmarkSimulation& request, ThreadPool& pool) {
  const LandmarkSimulator simulator(request, pool);
  const std::int64_t genes = simulator.genes();
  SimulatedLandmarks out;
  out.expression.rows = request.samples;
  out.expression.cols = genes;
  out.expression.column.resize(static_cast<std::size_t>(request.samples * genes));
  out.expression.value.resize(static_cast<std::size_t>(request.samples * genes));
  for (std::int64_t s = 0; s < request.samples; ++s) {
    out.expression.row_begin.push_back((s + 1) * genes);
    for (std::int64_t g = 0; g < genes; ++g)
      out.expression.column[static_cast<std::size_t>(s * genes + g)] = static_cast<std::int32_t>(g);
  }
  simulator.fill(0, request.samples, out.expression.value.data());
  out.sample_names = simulator.sample_names();
  out.gene_names = simulator.gene_names();
  return out;
}

}  // namespace genexx

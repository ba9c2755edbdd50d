// SPDX-License-Identifier: Apache-2.0
#include "models/transbrain/simulate_regions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "engine/error.h"
#include "models/random_stream.h"
#include "models/stratify.h"

namespace genexx::transbrain {
namespace {

// Purposes of random numbers; elements: gene, region, sample or spot, cell, or 0 for orders.
constexpr std::uint32_t kGeneStream = 0x72676e65u, kHumanStream = 0x7268756du, kMouseStream = 0x726d6f75u,
                        kSampleStream = 0x7273616du, kCellStream = 0x7263656cu, kSpotStream = 0x7273706fu,
                        kHomologueStream = 0x72686f6du, kRowStream = 0x72726f77u, kListStream = 0x726c6973u;
constexpr std::int64_t kNuisances = 6;
constexpr double kOtherLoadings = 0.3;  // share of genes that load otherwise in the mouse
constexpr double kSampleShare = 0.7;    // of a profile
constexpr float kMost = 10;             // of a z-score

using Vector = std::vector<double>;

void check_request(const RegionSimulation& r) {
  const auto refuse = [](const char* field, const auto& value, const char* expected) {
    throw UsageError(fmt::format("simulated regions: {} is {}, expected {}", field, value, expected));
  };
  if (r.human_regions < 2 || r.human_regions > 100'000) refuse("human_regions", r.human_regions, "2 to 100000");
  if (r.mouse_regions < 1 || r.mouse_regions > r.human_regions)
    refuse("mouse_regions", r.mouse_regions, "1 to the number of human regions");
  if (r.genes < 10 || r.genes > 1'000'000) refuse("genes", r.genes, "10 to 1000000");
  if (r.samples < 2 || r.samples > 100'000) refuse("samples", r.samples, "2 to 100000");
  if (r.cells < 1 || r.cells > 100'000) refuse("cells", r.cells, "1 to 100000");
  if (r.spots < 1 || r.spots > 100'000) refuse("spots", r.spots, "1 to 100000");
  if (r.factors < 1 || r.factors > 10'000) refuse("factors", r.factors, "1 to 10000");
  if (!(r.conservation >= 0 && r.conservation <= 1)) refuse("conservation", r.conservation, "0 to 1");
  if (!(r.species_shift >= 0 && r.species_shift <= 1e3)) refuse("species_shift", r.species_shift, "0 to 1000");
  if (!(r.nuisance >= 0 && r.nuisance <= 1e3)) refuse("nuisance", r.nuisance, "0 to 1000");
  if (!(r.noise >= 0 && r.noise <= 1e3)) refuse("noise", r.noise, "0 to 1000");
}

Vector normals(std::int64_t size, RandomStream& random) {
  Vector v(static_cast<std::size_t>(size));
  for (double& x : v) x = random.normal();
  return v;
}

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void scale(Vector& v, double factor) {
  for (double& x : v) x *= factor;
}

// How a gene depends on the programmes, in each species. A gene that tells nothing has no loadings.
struct Gene {
  Vector human, mouse, nuisance;
};

struct HumanSample {
  std::int64_t region = 0, number = 0;  // number: within the region, from 0
};

class Simulation {
 public:
  Simulation(const RegionSimulation& request, ThreadPool& pool) : r_(request), pool_(pool) {
    telling_ = r_.genes - r_.genes / 10;
    draw_genes();
    draw_regions();
    draw_samples();
  }

  SimulatedRegions make() {
    SimulatedRegions out;
    for (std::int64_t g = 0; g < r_.genes; ++g) out.genes.push_back(fmt::format("gene_{:05}", g));
    for (const std::int64_t g : shuffled(telling_, kListStream))
      out.gene_list.push_back(out.genes[static_cast<std::size_t>(g)]);
    for (std::size_t j = 0; j < homologue_.size(); ++j)
      out.pairs.push_back({human_name(homologue_[j]), mouse_name(static_cast<std::int64_t>(j))});
    fill_human(out);
    fill_mouse(out.mouse);
    for (SimulatedRows* rows : {&out.training, &out.human, &out.mouse}) standardise(*rows);
    return out;
  }

 private:
  static std::string human_name(std::int64_t i) { return fmt::format("human {:03}", i); }
  static std::string mouse_name(std::int64_t i) { return fmt::format("mouse {:03}", i); }

  std::vector<std::int64_t> shuffled(std::int64_t count, std::uint32_t stream) const {
    return random_order(all_cells(count), r_.seed, stream);
  }

  void draw_genes() {
    genes_.resize(static_cast<std::size_t>(r_.genes));
    for (std::int64_t g = 0; g < telling_; ++g) {
      RandomStream random(r_.seed, kGeneStream, g);
      Gene& gene = genes_[static_cast<std::size_t>(g)];
      gene.human = normals(r_.factors, random);
      gene.nuisance = normals(kNuisances, random);
      const Vector other = normals(r_.factors, random);
      gene.mouse = random.uniform() < kOtherLoadings ? other : gene.human;
      scale(gene.human, 1 / std::sqrt(static_cast<double>(r_.factors)));
      scale(gene.mouse, 1 / std::sqrt(static_cast<double>(r_.factors)));
      scale(gene.nuisance, 1 / std::sqrt(static_cast<double>(kNuisances)));
    }
  }

  void draw_regions() {
    for (std::int64_t i = 0; i < r_.human_regions; ++i) {
      RandomStream random(r_.seed, kHumanStream, i);
      human_.push_back(normals(r_.factors, random));
    }
    homologue_ = shuffled(r_.human_regions, kHomologueStream);
    homologue_.resize(static_cast<std::size_t>(r_.mouse_regions));
    const double own = std::sqrt(1 - r_.conservation * r_.conservation);
    for (std::int64_t j = 0; j < r_.mouse_regions; ++j) {
      RandomStream random(r_.seed, kMouseStream, j);
      Vector f = normals(r_.factors, random);
      const Vector& shared = human_[static_cast<std::size_t>(homologue_[static_cast<std::size_t>(j)])];
      for (std::size_t k = 0; k < f.size(); ++k) f[k] = r_.conservation * shared[k] + own * f[k];
      mouse_.push_back(std::move(f));
      Vector shift = normals(kNuisances, random);
      scale(shift, r_.species_shift);
      mouse_shift_.push_back(std::move(shift));
    }
  }

  void draw_samples() {
    for (std::int64_t i = 0; i < r_.human_regions; ++i) {
      RandomStream random(r_.seed, kSampleStream, -1 - i);
      const double size = static_cast<double>(r_.samples) * (0.5 + random.uniform());
      const std::int64_t count = std::max<std::int64_t>(2, std::llround(size));
      for (std::int64_t k = 0; k < count; ++k) samples_.push_back({i, k});
    }
  }

  // regional + nuisance + noise, for one human sample or cell.
  void add_profile(const Vector& regional, double weight, RandomStream& random, float* out) const {
    Vector nuisance = normals(kNuisances, random);
    scale(nuisance, r_.nuisance);
    for (std::int64_t g = 0; g < r_.genes; ++g) {
      const Gene& gene = genes_[static_cast<std::size_t>(g)];
      const double signal = g < telling_ ? dot(gene.human, regional) + dot(gene.nuisance, nuisance) : 0.0;
      out[g] += static_cast<float>(weight * (signal + r_.noise * random.normal()));
    }
  }

  void fill_human(SimulatedRegions& out) {
    const auto genes = static_cast<std::size_t>(r_.genes);
    const std::size_t rows = samples_.size() * static_cast<std::size_t>(r_.cells);
    const std::vector<std::int64_t> place = shuffled(static_cast<std::int64_t>(rows), kRowStream);
    out.human.values.assign(samples_.size() * genes, 0.0f);
    out.training.values.assign(rows * genes, 0.0f);
    out.training.region_index.resize(rows);
    for (const HumanSample& s : samples_) out.human.region_index.push_back(human_name(s.region));
    const auto fill = [&](std::int64_t s) {
      const HumanSample& sample = samples_[static_cast<std::size_t>(s)];
      const Vector& regional = human_[static_cast<std::size_t>(sample.region)];
      RandomStream random(r_.seed, kSampleStream, s);
      float* const own = out.human.values.data() + static_cast<std::size_t>(s) * genes;
      add_profile(regional, 1, random, own);
      for (std::int64_t c = 0; c < r_.cells; ++c) {
        RandomStream of_cell(r_.seed, kCellStream, s * r_.cells + c);
        const auto row = static_cast<std::size_t>(place[static_cast<std::size_t>(s * r_.cells + c)]);
        float* const mixed = out.training.values.data() + row * genes;
        for (std::size_t g = 0; g < genes; ++g) mixed[g] = static_cast<float>(kSampleShare) * own[g];
        add_profile(regional, 1 - kSampleShare, of_cell, mixed);
        out.training.region_index[row] = fmt::format("{}_sample{}_cell{}", human_name(sample.region), sample.number, c);
      }
    };
    pool_.run(static_cast<std::int64_t>(samples_.size()), fill);
  }

  void fill_mouse(SimulatedRows& out) {
    const auto genes = static_cast<std::size_t>(r_.genes);
    const std::int64_t rows = r_.mouse_regions * r_.spots;
    out.values.resize(static_cast<std::size_t>(rows) * genes);
    for (std::int64_t s = 0; s < rows; ++s) out.region_index.push_back(mouse_name(s / r_.spots));
    const auto fill = [&](std::int64_t s) {
      const auto region = static_cast<std::size_t>(s / r_.spots);
      RandomStream random(r_.seed, kSpotStream, s);
      for (std::size_t g = 0; g < genes; ++g) {
        const Gene& gene = genes_[g];
        const bool tells = static_cast<std::int64_t>(g) < telling_;
        const double signal = tells ? dot(gene.mouse, mouse_[region]) + dot(gene.nuisance, mouse_shift_[region]) : 0.0;
        out.values[static_cast<std::size_t>(s) * genes + g] = static_cast<float>(signal + r_.noise * random.normal());
      }
    };
    pool_.run(rows, fill);
  }

  // Each gene by its own mean and deviation over the rows (ddof 1); what is above the limit is cut off, as the
  // published preprocessing does.
  void standardise(SimulatedRows& rows) const {
    const auto genes = static_cast<std::size_t>(r_.genes);
    const std::size_t count = rows.region_index.size();
    const auto scale_gene = [&](std::int64_t g) {
      double sum = 0, squares = 0;
      for (std::size_t i = 0; i < count; ++i) sum += rows.values[i * genes + static_cast<std::size_t>(g)];
      const double mean = sum / static_cast<double>(count);
      for (std::size_t i = 0; i < count; ++i) {
        const double d = rows.values[i * genes + static_cast<std::size_t>(g)] - mean;
        squares += d * d;
      }
      const double sd = count > 1 ? std::sqrt(squares / static_cast<double>(count - 1)) : 0.0;
      for (std::size_t i = 0; i < count; ++i) {
        float& x = rows.values[i * genes + static_cast<std::size_t>(g)];
        x = std::min(kMost, static_cast<float>((x - mean) / (sd > 0 ? sd : 1.0)));
      }
    };
    pool_.run(r_.genes, scale_gene);
  }

  RegionSimulation r_;
  ThreadPool& pool_;
  std::int64_t telling_ = 0;
  std::vector<Gene> genes_;
  std::vector<Vector> human_, mouse_, mouse_shift_;
  std::vector<std::int64_t> homologue_;  // [mouse regions] human region
  std::vector<HumanSample> samples_;
};

}  // namespace

SimulatedRegions simulate_regions(const RegionSimulation& request, ThreadPool& pool) {
  check_request(request);
  return Simulation(request, pool).make();
}

}  // namespace genexx::transbrain

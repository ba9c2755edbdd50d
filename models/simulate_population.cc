// SPDX-License-Identifier: Apache-2.0
#include "models/simulate_population.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "models/random_stream.h"

namespace genexx {
namespace {

// Philox streams; the element beside each.
constexpr std::uint32_t kAbundanceStream = 0x6162756eu;  // gene
constexpr std::uint32_t kMarkerStream = 0x6d61726bu;     // lineage, type or programme
constexpr std::uint32_t kDonorStream = 0x646f6e6fu;      // donor; below zero: cell
constexpr std::uint32_t kDepthStream = 0x64657074u;      // type or donor
constexpr std::uint64_t kOrderStream = 0x6f726465u;

constexpr double kAbundanceSigma = 2.1;
constexpr double kTypeDepthSigma = 0.3;
constexpr double kDonorDepthSigma = 0.25;
constexpr std::int64_t kTypesPerLineage = 3;
constexpr std::int64_t kCalibrationGenes = 2048;

std::int64_t lineage_of(std::int64_t type) { return type / kTypesPerLineage; }

// Cells of each type: geometric, at least ten (or an even share where there are fewer).
std::vector<std::int64_t> type_sizes(const CellSimulation& r) {
  const std::int64_t least = std::min<std::int64_t>(10, r.cells / r.types);
  std::vector<double> share(static_cast<std::size_t>(r.types));
  for (std::size_t t = 0; t < share.size(); ++t) share[t] = std::pow(r.type_ratio, static_cast<double>(t));
  const double sum = std::accumulate(share.begin(), share.end(), 0.0);
  std::vector<std::int64_t> sizes;
  std::int64_t rest = r.cells - least * r.types;
  for (const double s : share) {
    sizes.push_back(least + static_cast<std::int64_t>(std::floor(s / sum * static_cast<double>(rest))));
  }
  sizes.front() += r.cells - std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  return sizes;
}

}  // namespace

struct Population::MarkerShape {
  double share;     // of all genes
  double mean, sd;  // of the log fold change
  double down;      // share of the markers that go down instead
};

Population::Population(const CellSimulation& request, ThreadPool& pool) : r_(request), sizes_(type_sizes(request)) {
  constexpr MarkerShape kLineageMarkers = {0.02, 1.5, 0.6, 0.2};
  constexpr MarkerShape kTypeMarkers = {0.015, 2.0, 0.8, 0.2};
  constexpr MarkerShape kProgrammeMarkers = {0.02, 1.5, 0.5, 0.0};
  for (std::int64_t g = 0; g < r_.genes; ++g) {
    log_abundance_.push_back(static_cast<float>(kAbundanceSigma * RandomStream(r_.seed, kAbundanceStream, g).normal()));
  }
  std::int64_t element = 0;
  for (std::int64_t l = 0; l <= lineage_of(r_.types - 1); ++l) {
    lineages_.push_back(draw_markers(kLineageMarkers, element++, r_.separation));
  }
  for (std::int64_t t = 0; t < r_.types; ++t) {
    types_.push_back(draw_markers(kTypeMarkers, element++, r_.separation));
    type_depth_.push_back(std::exp(kTypeDepthSigma * RandomStream(r_.seed, kDepthStream, t).normal()));
  }
  for (std::int64_t p = 0; p < kProgrammes; ++p) programmes_.push_back(draw_markers(kProgrammeMarkers, element++, 1));
  for (std::int64_t d = 0; d < r_.donors; ++d) {
    donor_depth_.push_back(std::exp(kDonorDepthSigma * RandomStream(r_.seed, kDepthStream, r_.types + d).normal()));
  }
  assign_types();
  depth_ = calibrated_depth();
  build_profiles(pool);
}

std::int64_t Population::type_of(std::int64_t cell) const {
  return type_of_place_[static_cast<std::size_t>(shuffled_index(order_, cell))];
}

std::int64_t Population::donor_of(std::int64_t cell) const {
  return scaled_index(RandomStream(r_.seed, kDonorStream, -1 - cell).word(), 0, r_.donors);
}

const Profile& Population::profile(std::int64_t type, std::int64_t donor) const {
  return profiles_[static_cast<std::size_t>(type * r_.donors + donor)];
}

const Profile& Population::programme(std::int64_t p) const {
  return profiles_[static_cast<std::size_t>(r_.types * r_.donors + p)];
}

double Population::depth_factor(std::int64_t type, std::int64_t donor) const {
  return type_depth_[static_cast<std::size_t>(type)] * donor_depth_[static_cast<std::size_t>(donor)];
}

std::int64_t Population::neighbour_of(std::int64_t type) const {
  if (type + 1 < r_.types && lineage_of(type + 1) == lineage_of(type)) return type + 1;
  return type > 0 && lineage_of(type - 1) == lineage_of(type) ? type - 1 : type;
}

Population::Markers Population::draw_markers(const MarkerShape& shape, std::int64_t element, double scale) const {
  const auto wanted = static_cast<std::int64_t>(std::ceil(shape.share * static_cast<double>(r_.genes)));
  const std::int64_t count = std::clamp<std::int64_t>(wanted, 10, r_.genes);
  RandomStream random(r_.seed, kMarkerStream, element);
  const EpochShuffle genes = epoch_shuffle(r_.seed ^ (std::uint64_t{kMarkerStream} << 32), element, r_.genes);
  Markers markers;
  for (std::int64_t i = 0; i < count; ++i) {
    const double sign = random.uniform() < shape.down ? -1.0 : 1.0;
    markers.gene.push_back(static_cast<std::int32_t>(shuffled_index(genes, i)));
    markers.log_change.push_back(static_cast<float>(sign * scale * (shape.mean + shape.sd * random.normal())));
  }
  return markers;
}

void Population::assign_types() {
  for (std::size_t t = 0; t < sizes_.size(); ++t) {
    type_of_place_.insert(type_of_place_.end(), static_cast<std::size_t>(sizes_[t]), static_cast<std::int32_t>(t));
  }
  order_ = epoch_shuffle(r_.seed ^ (kOrderStream << 32), 0, r_.cells);
}

// Share of each gene in a cell, without donor effects.
std::vector<double> Population::shares(const std::vector<const Markers*>& sets) const {
  std::vector<double> weight(log_abundance_.begin(), log_abundance_.end());
  for (const Markers* markers : sets) {
    for (std::size_t i = 0; i < markers->gene.size(); ++i) {
      weight[static_cast<std::size_t>(markers->gene[i])] += static_cast<double>(markers->log_change[i]);
    }
  }
  double sum = 0;
  for (double& w : weight) sum += w = std::exp(w);
  for (double& w : weight) w /= sum;
  return weight;
}

std::vector<double> Population::type_shares(std::int64_t type) const {
  return shares({&lineages_[static_cast<std::size_t>(lineage_of(type))], &types_[static_cast<std::size_t>(type)]});
}

// Expected bursts of a gene whose expected count is `mean`: the negative binomial is a Poisson number of bursts of
// logarithmic size, and this is the mean of the Poisson.
double Population::bursts_for(double mean) const {
  return r_.dispersion > 0 ? std::log1p(mean * r_.dispersion) / r_.dispersion : mean;
}

// Expected share of non-zero counts, over the given genes and the deciles 1, 3, 5, 7, 9 of library size.
double Population::density_at(double depth, const std::vector<std::vector<double>>& shares_of_type) const {
  constexpr std::array<double, 5> kQuantiles = {-1.281552, -0.524401, 0.0, 0.524401, 1.281552};
  double sum = 0;
  double weight = 0;
  for (std::int64_t t = 0; t < r_.types; ++t) {
    const auto cells = static_cast<double>(sizes_[static_cast<std::size_t>(t)]);
    for (const double share : shares_of_type[static_cast<std::size_t>(t)]) {
      const double bursts = bursts_for(depth * share);
      for (std::int64_t d = 0; d < r_.donors; ++d) {
        for (const double q : kQuantiles) {
          sum -= cells * std::expm1(-bursts * depth_factor(t, d) * std::exp(kLibrarySigma * q));
        }
      }
      weight += cells * static_cast<double>(r_.donors) * static_cast<double>(kQuantiles.size());
    }
  }
  return sum / weight;
}

// Molecules of a median cell by which the density asked for is expected: bisection on its logarithm, over genes evenly
// spaced by abundance.
double Population::calibrated_depth() const {
  std::vector<std::vector<double>> sampled;
  const std::int64_t step = std::max<std::int64_t>(1, r_.genes / kCalibrationGenes);
  for (std::int64_t t = 0; t < r_.types; ++t) {
    std::vector<double> share = type_shares(t);
    std::sort(share.begin(), share.end());
    sampled.emplace_back();
    for (std::int64_t g = step / 2; g < r_.genes; g += step) {
      sampled.back().push_back(share[static_cast<std::size_t>(g)]);
    }
  }
  double low = std::log(1e-3);
  double high = std::log(1e12);
  for (int i = 0; i < 30; ++i) {
    const double middle = 0.5 * (low + high);
    (density_at(std::exp(middle), sampled) < r_.density ? low : high) = middle;
  }
  return std::exp(0.5 * (low + high));
}

Profile Population::make_profile(std::vector<double> share) const {
  Profile made;
  for (double& s : share) {
    const double mean = depth_ * s;
    const double scaled = mean * r_.dispersion;
    made.burst.push_back(static_cast<float>(scaled / (1.0 + scaled)));
    s = bursts_for(mean);
    made.bursts += s;
  }
  made.table = alias_table(share);
  return made;
}

void Population::build_profiles(ThreadPool& pool) {
  profiles_.resize(static_cast<std::size_t>(r_.types * r_.donors + kProgrammes));
  const auto build = [&](std::int64_t i) {
    if (i >= r_.types * r_.donors) {
      const Markers& markers = programmes_[static_cast<std::size_t>(i - r_.types * r_.donors)];
      profiles_[static_cast<std::size_t>(i)] = make_profile(shares({&markers}));
      return;
    }
    std::vector<double> share = type_shares(i / r_.donors);
    RandomStream random(r_.seed, kDonorStream, i % r_.donors);
    double sum = 0;
    for (double& s : share) sum += s *= std::exp(r_.donor_effect * random.normal());
    for (double& s : share) s /= sum;
    profiles_[static_cast<std::size_t>(i)] = make_profile(std::move(share));
  };
  pool.run(static_cast<std::int64_t>(profiles_.size()), build);
}

}  // namespace genexx

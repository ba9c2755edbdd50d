// SPDX-License-Identifier: Apache-2.0
// What simulated cells are drawn from: abundances, marker genes, donors and depth, as sampling tables.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/sampling.h"
#include "engine/thread_pool.h"
#include "models/sampler.h"
#include "models/simulate.h"

namespace genexx {

// Expression of one kind of cell of median size. A count is negative binomial: a Poisson number of bursts of
// logarithmic size; the table tells which gene a burst is of.
struct Profile {
  AliasTable table;
  std::vector<float> burst;  // [genes] parameter of the burst's logarithmic size; 0: always one
  double bursts = 0;         // expected number
};

// Programmes that all types share: cell cycle, stress.
inline constexpr std::int64_t kProgrammes = 2;

class Population {
 public:
  // `request` is checked. Builds types * donors + kProgrammes tables of 12 bytes a gene.
  Population(const CellSimulation& request, ThreadPool& pool);

  std::int64_t type_of(std::int64_t cell) const;
  std::int64_t donor_of(std::int64_t cell) const;
  const Profile& profile(std::int64_t type, std::int64_t donor) const;
  const Profile& programme(std::int64_t p) const;
  // Median library size of a type's cells from a donor, relative to that of all.
  double depth_factor(std::int64_t type, std::int64_t donor) const;
  // The type a cell in transition moves to: the next of its lineage, the one before for the last, itself if alone.
  std::int64_t neighbour_of(std::int64_t type) const;

  // Standard deviation of the log library size of cells of one type and donor.
  static constexpr double kLibrarySigma = 0.4;

 private:
  // Log fold changes of a set of genes; elsewhere zero.
  struct Markers {
    std::vector<std::int32_t> gene;
    std::vector<float> log_change;
  };
  struct MarkerShape;

  Markers draw_markers(const MarkerShape& shape, std::int64_t element, double scale) const;
  void assign_types();
  std::vector<double> shares(const std::vector<const Markers*>& sets) const;
  std::vector<double> type_shares(std::int64_t type) const;
  double bursts_for(double mean) const;
  double calibrated_depth() const;
  double density_at(double depth, const std::vector<std::vector<double>>& shares_of_type) const;
  Profile make_profile(std::vector<double> share) const;
  void build_profiles(ThreadPool& pool);

  CellSimulation r_;
  std::vector<float> log_abundance_;  // [genes]
  std::vector<Markers> lineages_, types_, programmes_;
  std::vector<double> type_depth_, donor_depth_;
  std::vector<std::int64_t> sizes_;          // cells of each type
  std::vector<std::int32_t> type_of_place_;  // in shuffled order
  EpochShuffle order_;
  double depth_ = 0;  // molecules of a median cell
  std::vector<Profile> profiles_;
};

}  // namespace genexx

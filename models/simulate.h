// SPDX-License-Identifier: Apache-2.0
// Realistic expression data of any size, for trials, tests and benchmarks. Pure computation: no files. The same request
// gives the same data for any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"
#include "engine/thread_pool.h"

namespace genexx {

// Cells of several types from several donors, as unique molecule counts.
struct CellSimulation {
  std::int64_t cells = 3000;
  std::int64_t genes = 5000;
  std::int64_t types = 8;
  std::int64_t donors = 3;
  double density = 0.08;      // share of non-zero counts to reach, over 0 and at most 0.9
  double type_ratio = 0.8;    // each type has this many times the cells of the one before it (geometric), in (0, 1]
  double separation = 1.0;    // of the types: scales the log fold changes of their marker genes; 0: no difference
  double donor_effect = 0.2;  // standard deviation of a gene's log factor between donors
  double dispersion = 0.3;  // of the negative binomial: variance = mean + dispersion * mean^2 for a cell of median size
  std::uint64_t seed = 0;
  std::function<void()> between_cells = {};  // called now and then; may throw to give up
};

struct SimulatedCells {
  CsrMatrix counts;                     // cells by genes
  std::vector<std::string> cell_names;  // cell_000000, ...
  std::vector<std::string> gene_names;  // gene_00000, ...
  std::vector<std::string> cell_types;  // one a cell: type_00, ... by falling size
  std::vector<std::string> donors;      // one a cell: donor_0, ...
};

// The model, gene g of cell i (type t, donor b):
//   a_g          log-normal abundance (sigma 2.1)
//   profile      a_g * exp(lineage + type marker + donor effect), normalised. Three neighbouring types share a lineage
//                and its markers; a type's own markers are 1.5 % of the genes (10 at least), most of them up
//   l_i          log-normal library size (sigma 0.4), times factors of the type and of the donor
//   composition  profile(t, b), mixed with that of the next type of the lineage (a tenth of the cells up to a half:
//   cells
//                in transition) and with two programmes that all types share (cell cycle, stress)
//   count        negative binomial, drawn as a Poisson number of bursts of logarithmic size (Quenouille, Biometrics 5,
//                1949), which makes the work O(sum of counts), not O(cells * genes)
// The depth of sequencing is what density is reached by. Peak memory: the result, and 12 bytes * genes * types *
// donors. Throws UsageError naming the field for values out of range.
SimulatedCells simulate_cells(const CellSimulation& request, ThreadPool& pool);

// Samples with landmark and target genes, as D-GEX has them: log2-like values of 2 to 16.
struct LandmarkSimulation {
  std::int64_t samples = 1000;
  std::int64_t landmarks = 100;
  std::int64_t targets = 200;
  std::int64_t factors = 12;  // hidden variables behind all genes
  double nonlinear = 0.35;    // share of a target's explained variance that no linear map of the landmarks gives
  double noise = 0.15;        // share of a gene's variance that nothing explains
  double copies = 0;          // share of the samples that are an earlier one with a noise of norm 0.5 on top
  std::uint64_t seed = 0;
};

struct SimulatedLandmarks {
  CsrMatrix expression;                   // samples by genes, landmarks first; every value is stored
  std::vector<std::string> sample_names;  // sample_000000, ...
  std::vector<std::string> gene_names;    // landmark_0000, ..., target_00000, ...
};

// Hidden factors z ~ N(0, I) for each sample. Landmark: mean + sd * (unit mixture of z + noise). Target: the same with,
// for the nonlinear share, products of the signs and sizes of two mixtures, tanh(2 u) tanh(2 v): a term that is
// uncorrelated with z. Sums are in double, in index order. Throws UsageError naming the field for values out of range.
SimulatedLandmarks simulate_landmarks(const LandmarkSimulation& request, ThreadPool& pool);

// The same samples a few at a time, for sets that do not fit in memory.
class LandmarkSimulator {
 public:
  LandmarkSimulator(const LandmarkSimulation& request, ThreadPool& pool);
  ~LandmarkSimulator();
  LandmarkSimulator(LandmarkSimulator&&) noexcept;

  std::int64_t genes() const { return request_.landmarks + request_.targets; }
  std::vector<std::string> sample_names() const;
  std::vector<std::string> gene_names() const;

  // Samples [first, first + count): [count, genes].
  void fill(std::int64_t first, std::int64_t count, float* values) const;

 private:
  struct Genes;
  LandmarkSimulation request_;
  ThreadPool& pool_;
  std::unique_ptr<Genes> drawn_;
};

}  // namespace genexx

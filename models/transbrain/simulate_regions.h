// SPDX-License-Identifier: Apache-2.0
// Made-up expression of the brain regions of two species whose homologues are known, in the layouts of TransBrain
// (spec, sections 3.1 and 10). Pure computation: no files. The same request gives the same data for any number of
// threads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/thread_pool.h"
#include "models/transbrain/region_pairs.h"

namespace genexx::transbrain {

struct RegionSimulation {
  std::int64_t human_regions = 40;
  std::int64_t mouse_regions = 20;  // at most as many; each has one human homologue of its own
  std::int64_t genes = 800;         // a tenth of them, which the gene list leaves out, tells nothing
  std::int64_t samples = 6;         // of a human region on average: a half to one and a half times as many, at least 2
  std::int64_t cells = 10;          // mixed with each sample
  std::int64_t spots = 8;           // of a mouse region
  std::int64_t factors = 8;         // regional programmes both species share
  double conservation = 0.8;        // correlation of a mouse region's programmes with those of its homologue, in [0, 1]
  double species_shift = 1.0;       // how far nuisance programmes move mouse regions apart, against the regional ones
  double nuisance = 1.0;            // the same between the samples of a human region
  double noise = 1.0;               // standard deviation of a gene in a sample, against that of its regional part
  std::uint64_t seed = 0;
};

// Rows of one file.
struct SimulatedRows {
  std::vector<std::string> region_index;  // [rows]
  std::vector<float> values;              // [rows, genes], z-scored per gene
};

struct SimulatedRegions {
  std::vector<std::string> genes;  // names of the columns
  SimulatedRows training;          // REGION_sampleI_cellJ, in random order
  SimulatedRows human, mouse;      // samples and spots, named by their region
  std::vector<std::string> gene_list;
  std::vector<RegionPair> pairs;  // one a mouse region
};

// The model, gene g:
//   programmes   of human region i F_i ~ N(0, I); of mouse region j  c F_h(j) + sqrt(1 - c^2) N(0, I)
//   nuisance     six programmes (cell composition, quality) that differ between the samples of a region, and in the
//                mouse between regions as a whole: what makes raw correlations of means mislead
//   loadings     of both kinds ~ N(0, 1) / sqrt(number); three genes in ten load otherwise in the mouse
//   sample       regional + nuisance + noise;  cell: likewise, of another nuisance;  profile: 0.7 sample + 0.3 cell
//   z-score      per gene over the rows of a file (ddof 1), values above 10 cut off
// Human rows are the samples alone, mouse rows the spots. Throws UsageError naming the field for values out of range.
SimulatedRegions simulate_regions(const RegionSimulation& request, ThreadPool& pool);

}  // namespace genexx::transbrain

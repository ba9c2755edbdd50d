// SPDX-License-Identifier: Apache-2.0
// What a run trains on: selected, normalised expression data with labels, and the statistics of each way of preparing
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/csr_matrix.h"

namespace genexx {

// Per-gene numbers fitted on one set of training cells. A gene that this preparation did not select has factor 0 and
// mask 0: it reaches the network as exactly 0 and no loss counts it.
struct Preparation {
  std::vector<float> shift, factor;  // [g]: x = (value - shift) * factor
  std::vector<float> index;          // [g]: discriminant index, 0..1
  std::vector<float> mask;           // [g]: 1 selected, 0 not
  std::int64_t live_genes = 0;       // how many are selected
};

struct TrainingSet {
  // Row p * cells + c is cell c as preparation p normalises it (library size and log done); columns are the genes of
  // the network.
  CsrMatrix data;
  std::int64_t cells = 0;
  std::vector<std::int32_t> labels;  // [cells], class index, -1 unknown
  std::int64_t classes = 0;
  std::vector<Preparation> preparations;

  std::int64_t genes() const { return data.cols; }
};

// One replica: which cells it learns from and is judged on, prepared how, from which seed.
struct ReplicaTask {
  std::int64_t seed = 0;
  std::int64_t preparation = 0;
  std::vector<std::int64_t> train, validation;  // cells
};

}  // namespace genexx

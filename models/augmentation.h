// SPDX-License-Identifier: Apache-2.0
// Synthetic training cells for small classes: copies of real ones with counts thinned, or between two of a class.
//   thinning  a count c becomes Binomial(c, keep): the same cell as a shallower sequencing would have counted it
//   mix-up    x = lambda x_a + (1 - lambda) x_b of two cells a, b of the class, lambda ~ Beta(alpha, alpha), after
//   library
//             size and logarithm. Source: Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018, section
//             2; there across classes with mixed labels, here within one, so that the label stays what it is.
// Made once, before training, on the host: everything behind it (sparse rows, sampling, CUDA, resume) knows only that
// there are more cells. A cell depends on the seed, its split, its class and its number alone.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cell_split.h"
#include "engine/csr_matrix.h"

namespace genexx {

struct AugmentationPlan {
  double share = 0;   // a class smaller than this part of the largest is raised to it; 0: no synthetic cells
  double keep = 1;    // of every count; 1: no thinning
  double mix_up = 0;  // alpha; 0: no mixing
  std::uint64_t seed = 0;
  bool is_on() const { return share > 0; }
};

struct SyntheticCells {
  CsrMatrix parents;                 // counts, thinned: one row a cell, with mix-up two
  std::vector<double> weight;        // [cells] lambda of the first parent; empty without mix-up
  std::vector<std::int32_t> labels;  // [cells]
  std::vector<std::int64_t> begin;   // [splits + 1] split k has cells begin[k] to begin[k + 1]
  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

// The synthetic cells of each split, made of its own training cells alone: those of a class take turns as first parent,
// the second is any other of the class. `labels` [rows of the matrix] are class indices. Throws RefusedError for a
// value that is no whole number where counts are to be thinned.
SyntheticCells synthesise(const CsrMatrix& matrix, const std::vector<std::int32_t>& labels,
                          const std::vector<CellSplit>& splits, const AugmentationPlan& plan);

// Rows 2i and 2i + 1 become row i: weight[i] times the one and 1 - weight[i] times the other.
CsrMatrix mixed(const CsrMatrix& parents, const std::vector<double>& weight);

}  // namespace genexx

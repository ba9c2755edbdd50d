// SPDX-License-Identifier: Apache-2.0
// How well each gene alone separates the cell types: the index the discriminative loss draws the gate towards.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace genexx::scannonet {

// One gene's scatter: within = sum over cells of (x - mean of its type)^2, between = sum over types of
// n_c (mean_c - mean)^2.
struct Scatter {
  double between = 0, within = 0;
};

// score = between / (d + 2 beta within) with d = within, but 1e5 where within < 1e-12; then min-max scaled over the
// genes to [0, 1], all 0 when they are equal. The published scripts form an n x n matrix for the same number.
std::vector<double> discriminant_index(std::span<const Scatter> genes, double beta);

}  // namespace genexx::scannonet

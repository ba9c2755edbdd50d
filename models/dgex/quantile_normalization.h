// SPDX-License-Identifier: Apache-2.0
// Quantile normalisation: the values of a profile are replaced by the reference quantiles at their ranks. Source:
// Bolstad et al., Bioinformatics 19(2), 2003, and the published scripts of D-GEX for the treatment of ties.
#pragma once

#include <cstdint>
#include <vector>

namespace genexx::dgex {

// For each value of a profile the number of the reference quantile that replaces it.

// The profile's own set: floor of the average 0-based rank, ties sharing theirs. `sorted` receives the values in
// ascending order.
void average_ranks(const std::vector<double>& profile, std::int32_t* quantile, double* sorted);

// A profile of another set: r being the 0-based rank among the u distinct values of the profile, floor((r + 1) / u * n)
// - 1 in double, n being the number of genes. Where rounding gives -1 the lowest quantile is taken.
void unique_ranks(const std::vector<double>& profile, std::int32_t* quantile);

}  // namespace genexx::dgex

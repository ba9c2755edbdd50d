// SPDX-License-Identifier: Apache-2.0
// How likely a Pearson correlation is by chance.
#pragma once

#include <cstdint>

namespace genexx {

// Two-sided p of a Pearson correlation `r` over `n` observations when the true one is 0: the chance of |t| or more
// under Student's t with n - 2 degrees of freedom, t = r sqrt((n - 2) / (1 - r^2)), which is the regularised incomplete
// beta function I_{1 - r^2}((n - 2) / 2, 1 / 2) (Abramowitz and Stegun 26.7.1 and 26.5.27). 0 for |r| = 1, 1 for n <= 2
// or when r is NaN. Relative error below 1e-11 up to a million observations, down to 1e-300.
double pearson_p_value(double r, std::int64_t n);

// The least |r| whose p over n observations is at most `p`: larger ones are smaller in p. 1 for n <= 2. O(60)
// evaluations.
double critical_correlation(double p, std::int64_t n);

}  // namespace genexx

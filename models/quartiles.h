// SPDX-License-Identifier: Apache-2.0
// Five numbers that say how values are spread.
#pragma once

#include <vector>

namespace genexx {

// Least, lower quartile, median, upper quartile and greatest: between two values by linear interpolation, as
// numpy.percentile. Empty for no values; none may be NaN.
std::vector<double> quartiles(std::vector<double> values);

}  // namespace genexx

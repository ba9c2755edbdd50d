// SPDX-License-Identifier: Apache-2.0
// A network set to the start of a golden run, and how far its numbers are from those of the file.
#pragma once

#include <vector>

#include "engine/named_tensor.h"
#include "models/network.h"
#include "tests/support/golden.h"

namespace genexx::test {

// ||a - b|| / ||b||; NaN where either is not finite.
double relative_distance(const std::vector<double>& a, const std::vector<double>& b);

// The arrays initial/NAME of a run as the weights of one replica; they are numbers that f32 holds exactly.
std::vector<NamedTensor> golden_weights(const Network& network, const GoldenCase& run, DType dtype);

}  // namespace genexx::test

// SPDX-License-Identifier: Apache-2.0
// Comparing trained weights.
#pragma once

#include <vector>

#include "engine/named_tensor.h"

namespace genexx::test {

// Checks replica k of `joint`, [r, ...], bit for bit against the only replica of `alone`.
void expect_same_replica(const std::vector<NamedTensor>& joint, std::size_t k, const std::vector<NamedTensor>& alone);

}  // namespace genexx::test

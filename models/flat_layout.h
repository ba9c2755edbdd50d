// SPDX-License-Identifier: Apache-2.0
// Where each parameter lies in the one flat array that holds all parameters of all replicas.
#pragma once

#include <cstdint>
#include <vector>

#include "models/network.h"

namespace genexx {

struct FlatLayout {
  std::vector<std::int64_t> offsets;  // of each parameter [replicas, ...], in elements
  std::int64_t size = 0;              // elements, gaps included
};

// Parameter after parameter, each on a cache line of its own (64 elements) and so fit for 16-byte loads.
FlatLayout flat_layout(const Network& network, std::int64_t replicas);

}  // namespace genexx

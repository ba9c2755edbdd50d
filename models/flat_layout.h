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

  // Elements from the beginning of a parameter to that of the next.
  std::int64_t room(std::size_t index) const {
    return (index + 1 < offsets.size() ? offsets[index + 1] : size) - offsets[index];
  }
};

// Parameter after parameter, each on a cache line of its own (64 elements) and so fit for 16-byte loads.
FlatLayout flat_layout(const Network& network, std::int64_t replicas);

}  // namespace genexx

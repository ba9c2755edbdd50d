// SPDX-License-Identifier: Apache-2.0
#include "models/flat_layout.h"

namespace genexx {

constexpr std::int64_t kAlignElements = 64;

FlatLayout flat_layout(const Network& network, std::int64_t replicas) {
  FlatLayout layout;
  for (const ParameterSpec& p : network.parameters()) {
    layout.offsets.push_back(layout.size);
    layout.size += (replicas * p.size + kAlignElements - 1) / kAlignElements * kAlignElements;
  }
  return layout;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "models/split_weights.h"

#include <cstring>
#include <vector>

#include "kernels/number_formats.h"

namespace genexx {

bool may_lie_split(const Network& network, std::size_t parameter) {
  const ParameterSpec& p = network.parameters()[parameter];
  return p.shape.size() == 2 && network.nodes()[static_cast<std::size_t>(p.node)].kind == NodeKind::linear;
}

void split_values(const std::byte* values, std::int64_t count, std::int64_t plane, std::byte* planes) {
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(2 * plane));
  for (std::int64_t i = 0; i < count; ++i) {
    float x;
    std::memcpy(&x, values + i * 4, sizeof x);
    const SplitFloat s = split_exactly(x);
    halves[static_cast<std::size_t>(i)] = s.high.bits;
    halves[static_cast<std::size_t>(plane + i)] = static_cast<std::uint16_t>(s.low);
  }
  std::memcpy(planes, halves.data(), halves.size() * 2);
}

void join_values(const std::byte* planes, std::int64_t count, std::int64_t plane, std::byte* values) {
  std::vector<std::uint16_t> halves(static_cast<std::size_t>(2 * plane));
  std::memcpy(halves.data(), planes, halves.size() * 2);
  for (std::int64_t i = 0; i < count; ++i) {
    const float x = join({{halves[static_cast<std::size_t>(i)]},
                          static_cast<std::int16_t>(halves[static_cast<std::size_t>(plane + i)])});
    std::memcpy(values + i * 4, &x, sizeof x);
  }
}

}  // namespace genexx

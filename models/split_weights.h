// SPDX-License-Identifier: Apache-2.0
// Weights of a network whose products are formed in bf16: the matrices of linear layers lie as two planes of 16 bits
// each in the bytes of their f32 elements (kernels/optimizer_chunk.h), so that products read the first plane without a
// cast and the optimizer still knows every bit. On files and in checkpoints all weights are f32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "models/network.h"

namespace genexx {

// Whether a parameter lies split in such a session.
bool may_lie_split(const Network& network, std::size_t parameter);

// `count` elements of f32 from `values` to two planes of `plane` elements each, and back. They may be the same memory.
void split_values(const std::byte* values, std::int64_t count, std::int64_t plane, std::byte* planes);
void join_values(const std::byte* planes, std::int64_t count, std::int64_t plane, std::byte* values);

}  // namespace genexx

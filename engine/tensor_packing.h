// SPDX-License-Identifier: Apache-2.0
// Named tensors as one run of bytes: how weights and training states travel between ranks of one kind of machine.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/named_tensor.h"

namespace genexx {

std::vector<std::byte> pack_tensors(const std::vector<NamedTensor>& tensors);

// Throws InputError for bytes that pack_tensors did not make.
std::vector<NamedTensor> unpack_tensors(const std::vector<std::byte>& bytes);

}  // namespace genexx

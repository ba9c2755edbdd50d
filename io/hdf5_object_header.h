// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/hdf5_heap.h"

namespace genexx::hdf5 {

// The last `size` bytes of the attribute's message in the object header of `node`: its stored value. nullopt when the
// attribute is not in the header itself (many attributes lie in another structure) or its parts are shared. Throws
// InputError when the header leads out of the file. Layout: HDF5 file format specification, IV.A.1 and IV.A.2.m.
std::optional<std::vector<std::uint8_t>> stored_attribute(RawFile& file, const Node& node, const std::string& name,
                                                          std::int64_t size);

}  // namespace genexx::hdf5

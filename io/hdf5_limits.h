// SPDX-License-Identifier: Apache-2.0
// What a file may ask of memory. Each limit is far beyond real data and stops a hostile or damaged file.
#pragma once

#include <cstdint>

namespace genexx::hdf5 {

inline constexpr std::int64_t kMaximumRank = 4;
inline constexpr std::int64_t kMaximumChunkBytes = std::int64_t{256} << 20;  // decompressed
inline constexpr std::int64_t kMaximumExpansion = 1040;  // extents over stored bytes; gzip can give 1032
inline constexpr std::int64_t kFreeExtentBytes = std::int64_t{4} << 20;        // extents not asked for stored bytes
inline constexpr std::int64_t kMaximumStringBytes = std::int64_t{1} << 20;     // one string
inline constexpr std::int64_t kMaximumStringsBytes = std::int64_t{1} << 30;    // all strings of a dataset
inline constexpr std::int64_t kMaximumAttributeBytes = std::int64_t{1} << 20;  // one attribute

}  // namespace genexx::hdf5

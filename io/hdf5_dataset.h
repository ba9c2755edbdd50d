// SPDX-License-Identifier: Apache-2.0
// What a dataset says of itself, and whether it can be believed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/hdf5_elements.h"
#include "io/hdf5_filters.h"

namespace genexx::hdf5 {

struct DatasetInfo {
  bool null = false;                // a null dataspace: no values at all
  std::vector<std::int64_t> shape;  // empty for a scalar
  ElementType type;
  std::vector<std::int64_t> chunk;  // chunk shape, empty when the values lie in one piece
  std::vector<Filter> filters;
  std::int64_t stored_bytes = 0;  // as in the file, after filters

  std::int64_t elements() const;
  std::int64_t chunk_bytes() const;  // decompressed; 0 when not chunked
};

// Throws InputError only for what makes the description itself impossible.
DatasetInfo describe_dataset(const Node& dataset);

// Describes the dataset and refuses what must not be read: a rank over kMaximumRank, a filter that this program does
// not know (named with its number, its usual name and a repair), a chunk over kMaximumChunkBytes, stored bytes beyond
// the file, extents over kMaximumExpansion times the stored bytes, strings over kMaximumStringBytes.
DatasetInfo readable_dataset(const Node& dataset);

// Why readable_dataset would refuse, "" if it would not.
std::string reading_problem(const Node& dataset, const DatasetInfo& info);

// The same as readable_dataset says it, with file and path before it.
std::string placed_problem(const Node& dataset, const DatasetInfo& info);

}  // namespace genexx::hdf5

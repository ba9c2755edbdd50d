// SPDX-License-Identifier: Apache-2.0
// HDF5 filters: which a dataset uses, and undoing those that this program knows (gzip, shuffle, Fletcher-32, LZF).
// Filter numbers: HDF5 file format specification IV.A.2.l and the HDF Group's list of registered filters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace genexx::hdf5 {

class Node;

struct Filter {
  int id = 0;
  std::vector<unsigned> values;  // the filter's own parameters
};

// "gzip", "shuffle", "lzf", "zstd", ...; "filter 12345" for one not in the list.
std::string filter_name(int id);

bool is_supported(const Filter& filter);

// Makes HDF5 itself able to read LZF, which h5py writes and the stock library does not know. Repeating it is harmless.
void register_lzf();

// The bytes of one chunk without its filters. Where `shuffled`, byte b of element i lies at b * elements + i: the byte
// shuffle is left to whoever takes elements, which saves a copy of the chunk.
struct ChunkBytes {
  std::vector<std::uint8_t> bytes;
  bool shuffled = false;
};

struct StoredChunk {
  std::vector<std::uint8_t> bytes;  // as in the file
  std::uint32_t skipped = 0;        // bit i set: filter i was not applied to this chunk
};

// Undoes the filters, last one first, and leaves exactly `expected_bytes`. Throws InputError naming the dataset when
// the bytes are damaged. Safe to call from several threads.
void undo_filters(const Node& dataset, const std::vector<Filter>& filters, StoredChunk&& stored,
                  std::int64_t expected_bytes, ChunkBytes& chunk);

}  // namespace genexx::hdf5

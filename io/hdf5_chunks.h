// SPDX-License-Identifier: Apache-2.0
// Reading a dataset of numbers or fixed strings chunk by chunk. Chunks come compressed out of HDF5 and are decompressed
// here, on several threads, so that memory is bounded by what is asked for and not by the library's cache.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "io/hdf5_dataset.h"

namespace genexx::hdf5 {

// One chunk of a matrix in memory. Element (r, c) of it is raw element r * pitch + c and lies at (row + r, col + c) of
// the dataset. A vector is a matrix of one column.
struct Block {
  std::int64_t row = 0, col = 0;    // of the first element
  std::int64_t rows = 0, cols = 0;  // inside the dataset
  std::int64_t pitch = 0;           // elements from one row to the next
  RawElements raw;
};

// Decompressed bytes of a chunk together with the place they describe.
struct LoadedChunk {
  ChunkBytes data;
  Block block;  // block.raw points into data
};

// The chunks of a dataset of rank 1 or 2. A dataset without chunks is cut into pieces of the shape given.
class ChunkGrid {
 public:
  // Checks the dataset (readable_dataset). Throws InputError when its rank is not 1 or 2.
  ChunkGrid(Node dataset, std::array<std::int64_t, 2> piece);

  const Node& dataset() const { return dataset_; }
  const DatasetInfo& info() const { return info_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t chunk_rows() const { return chunk_[0]; }
  std::int64_t chunk_cols() const { return chunk_[1]; }
  std::int64_t grid_rows() const;  // chunks from top to bottom
  std::int64_t grid_cols() const;  // chunks from left to right
  std::int64_t chunk_bytes() const { return chunk_[0] * chunk_[1] * info_.type.size; }

  // Chunk (i, j) of the grid. Not thread-safe.
  LoadedChunk load(std::int64_t i, std::int64_t j) const;

  struct Place {
    std::int64_t i = 0, j = 0;
  };
  // Loads the chunks and gives each to consume(index in places, chunk), from several threads at once, in any order. At
  // most `threads` chunks, and where one is over 16 MB only one, are in memory at a time.
  void for_each(const std::vector<Place>& places, int threads,
                const std::function<void(std::int64_t, LoadedChunk&)>& consume) const;

 private:
  StoredChunk fetch(const Block& block) const;
  Block place(std::int64_t i, std::int64_t j) const;
  void finish(StoredChunk&& stored, const Block& block, LoadedChunk& chunk) const;

  Node dataset_;
  DatasetInfo info_;
  Id file_type_;
  std::int64_t rows_ = 0, cols_ = 1;
  std::array<std::int64_t, 2> chunk_{};
};

}  // namespace genexx::hdf5

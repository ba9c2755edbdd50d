// SPDX-License-Identifier: Apache-2.0
// Dense matrices on disk, turned into sparse rows chunk by chunk.
#pragma once

#include <cstdint>

#include "engine/csr_matrix.h"
#include "io/hdf5_chunks.h"

namespace genexx::hdf5 {

enum class CellAxis {
  rows,    // the dataset is cells by genes
  columns  // the dataset is genes by cells
};

// Cells [cell, cell + count) of a dense dataset as CSR rows. Works band by band (a band is all chunks over the same
// cells) and holds 16 MB of decompressed chunks, or one chunk where one is larger, and the band as CSR. A band of
// several chunks that exceeds 16 MB is decompressed twice: once to count, once to fill.
class DenseRows {
 public:
  // Throws InputError when the dataset is not a readable matrix of numbers with at most 2^31 - 1 genes.
  DenseRows(const Node& dataset, CellAxis axis, int threads);

  std::int64_t cells() const { return axis_ == CellAxis::rows ? grid_.rows() : grid_.cols(); }
  std::int64_t genes() const { return axis_ == CellAxis::rows ? grid_.cols() : grid_.rows(); }
  void read(std::int64_t cell, std::int64_t count, CsrMatrix& block);

 private:
  enum class Pass { count, fill };

  void load_band(std::int64_t cell);
  void run(Pass pass, const std::vector<LoadedChunk>& chunks);
  std::vector<LoadedChunk> load(const std::vector<ChunkGrid::Place>& places) const;

  ChunkGrid grid_;
  CellAxis axis_;
  int threads_;
  std::int64_t band_begin_ = 0, band_end_ = 0;  // cells
  CsrMatrix band_;
  std::vector<std::int64_t> place_;  // next free place of each row while a band is filled
};

}  // namespace genexx::hdf5

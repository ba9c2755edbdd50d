// SPDX-License-Identifier: Apache-2.0
// Builds cells-by-genes CSR from data that arrive gene by gene.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/csr_matrix.h"
#include "io/chunked_list.h"

namespace genexx {

// Give the genes in order: for each, its entries (in any cell order, no cell twice), then end_gene(). Peak memory:
// twice the CSR and 16 bytes for each cell and gene.
class CsrTransposer {
 public:
  explicit CsrTransposer(std::int64_t cells) : in_cell_(static_cast<std::size_t>(cells), 0) {}

  void add(std::int64_t cell, float value) {
    entries_.push_back({static_cast<std::int32_t>(cell), value});
    ++in_cell_[static_cast<std::size_t>(cell)];
  }
  void end_gene() { gene_end_.push_back(entries_.size()); }

  std::int64_t genes() const { return static_cast<std::int64_t>(gene_end_.size()); }

  // The matrix; the transposer is empty afterwards.
  CsrMatrix finish();

 private:
  struct Entry {
    std::int32_t cell;
    float value;
  };

  ChunkedList<Entry> entries_;
  std::vector<std::int64_t> in_cell_;   // entries of each cell
  std::vector<std::int64_t> gene_end_;  // entries up to and including each gene
};

}  // namespace genexx

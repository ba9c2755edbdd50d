// SPDX-License-Identifier: Apache-2.0
// The reading options that every verb shares (--matrix, --orientation, ...), as far as a reader needs them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace genexx {

enum class Orientation {
  automatic,   // from the format, the name files or the labels; an error where nothing tells
  cells_rows,  // a line of the file is a cell
  genes_rows   // a line of the file is a gene
};

struct ReadOptions {
  std::optional<std::string> matrix = {};  // "X", "raw", "layers/NAME"; none: the format's main matrix
  Orientation orientation = Orientation::automatic;
  std::optional<std::string> gene_column = {};   // take gene names from this column of the gene table
  std::optional<std::string> labels_file = {};   // text, cell TAB label; becomes the cell column "label"
  std::optional<std::int64_t> limit_cells = {};  // keep only the first cells of the file
  std::string feature_type = "Gene Expression";  // 10x: rows of this type are kept; "" keeps all
  std::optional<std::string> genome = {};        // 10x version 2: which genome, where the file holds several
  int threads = 0;                               // for decompression and parsing; 0: as many as the machine has
};

}  // namespace genexx

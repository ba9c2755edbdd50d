// SPDX-License-Identifier: Apache-2.0
// What is in a file, without reading its values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "io/file_format.h"
#include "io/read_options.h"
#include "io/table.h"

namespace genexx {

// A matrix that could be read. `name` is what --matrix takes.
struct MatrixInfo {
  std::string name;                  // "X", "raw", "layers/NAME"
  std::int64_t rows = 0, cols = 0;   // cells, genes
  std::int64_t stored_values = -1;   // stored entries of a sparse matrix, -1 for a dense one
  std::string dtype;                 // "float32", "int64", ...
  std::string storage;               // "csr", "csc", "dense", "text"
  std::vector<std::string> filters;  // "gzip", "shuffle", "lzf", ...
  std::string problem;               // why it cannot be read; empty when it can
};

// A column about the cells that can serve as label: counts by category, in the column's order.
struct LabelInfo {
  std::string name;
  std::vector<std::pair<std::string, std::int64_t>> counts;
  std::int64_t missing = 0;
};

struct FileInfo {
  FileFormat format = FileFormat::h5ad;
  std::string layout;  // "AnnData 0.7", "Cell Ranger 3", ...; empty when there is nothing to add
  std::int64_t bytes = 0;
  std::vector<MatrixInfo> matrices;                     // the first is what is read by default
  std::vector<LabelInfo> labels;                        // columns with at most 1000 categories
  std::vector<std::string> cell_columns, gene_columns;  // all columns, in file order
  std::vector<UnreadColumn> unread_cell_columns;        // there, but of a kind that is not read
};

// Throws InputError for a file that cannot be read at all.
FileInfo describe_file(const std::string& path, const ReadOptions& options = {});

// The columns of a table that can serve as labels, and the names of all.
void describe_columns(const ObsTable& cells, const ObsTable& genes, FileInfo& info);

}  // namespace genexx

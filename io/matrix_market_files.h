// SPDX-License-Identifier: Apache-2.0
// Finds the files of a Matrix Market matrix: the entries, the names of the features and of the cells.
#pragma once

#include <string>
#include <vector>

#include "io/table.h"

namespace genexx {

// Paths; names are "" where there is no such file.
struct MatrixMarketFiles {
  std::string matrix, features, barcodes;
};

// `path` is a directory or the matrix itself. In a directory: the only *.mtx or *.mtx.gz, or the only one that ends in
// matrix.mtx(.gz). Name files stand beside it: PREFIX + features|genes and barcodes|cells + .tsv|.txt (+ .gz), where
// PREFIX is the matrix file's name without "matrix.mtx", or without ".mtx" and with "." or "_" after it.
// Throws InputError listing what is there when a directory holds no matrix or more than one.
MatrixMarketFiles find_matrix_market_files(const std::string& path);

// Rows of a features file: 10x version 2 has id and name, version 3 also the type; one column is an id only.
struct Features {
  std::vector<std::string> id, name, type;  // type is empty where the file has no third column
};

// Throws InputError naming the line where a line has another number of fields than the first or an empty id.
Features read_features(const std::string& path);

// The first field of each line. Throws InputError for an empty name.
std::vector<std::string> read_barcodes(const std::string& path);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Writing the elements of AnnData files: tables, columns, arrays, dictionaries. In the layout of 0.8 every element says
// its encoding; in that of 0.7 only tables do, and category names lie behind an object reference. Source: anndata
// docs/fileformat-prose.md and its archive files of 0.7.
#pragma once

#include <string>
#include <vector>

#include "io/h5ad_frame.h"
#include "io/hdf5_write.h"
#include "io/table.h"

namespace genexx::h5ad {

enum class Encoding {
  marked,   // 0.8 and later
  unmarked  // 0.7
};

void mark(const hdf5::Node& node, Encoding encoding, const std::string& type, const std::string& version);

// A group that is a dictionary, opened when it is there.
hdf5::Node open_or_create_dict(const hdf5::Node& parent, const std::string& name, Encoding encoding);

void write_string_array(const hdf5::Node& parent, const std::string& name, const std::vector<std::string>& values,
                        Encoding encoding);

// A dense matrix of float32, row by row, compressed where gzip_level is over 0.
struct DenseMatrix {
  std::int64_t rows = 0, cols = 0;
  const float* values = nullptr;  // [rows, cols]
  int gzip_level = 0;
};
void write_dense(const hdf5::Node& parent, const std::string& name, const DenseMatrix& matrix, Encoding encoding);

// One column of a table. Numbers that are whole in the file stay whole; with missing values they become a nullable
// element (marked) or reals (unmarked).
void write_column(const hdf5::Node& table, const Column& column, Encoding encoding);

// A new table. '/' in column names becomes '_'. Throws UsageError for two columns of one name.
void write_table(const hdf5::Node& parent, const std::string& name, const Frame& frame);

}  // namespace genexx::h5ad

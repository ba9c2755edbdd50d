// SPDX-License-Identifier: Apache-2.0
// The matrices of AnnData files: where they are and how they are stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/file_info.h"
#include "io/hdf5_matrix.h"

namespace genexx::h5ad {

enum class Storage { csr, csc, dense };

// One matrix that may be read, with the table of its genes.
struct Candidate {
  std::string name;      // "X", "raw", "layers/NAME"
  std::string path;      // of the matrix in the file
  std::string var_path;  // of its gene table
};

// X, raw and the layers that the file has, X first. A null X is not one.
std::vector<Candidate> find_candidates(const hdf5::Node& root);

struct StoredMatrix {
  hdf5::Node node;
  Storage storage = Storage::dense;
  std::int64_t rows = 0, cols = 0;

  std::string dtype() const;
  const char* storage_name() const;
};

// Tells the storage from the encoding attributes of either generation. Throws InputError for an unknown encoding or
// version, or a shape that is not two positive extents.
StoredMatrix stored_matrix(const hdf5::Node& node);

struct MatrixShape {
  std::int64_t cells = 0, genes = 0;
};

// Throws InputError when the matrix has not the shape that obs and var say.
void expect_shape(const StoredMatrix& matrix, const MatrixShape& shape);

// A reader of the first `rows` rows. Throws InputError when the stored vectors do not agree with the shape.
hdf5::RowReader make_reader(const StoredMatrix& matrix, std::int64_t rows, int threads);

MatrixInfo describe_matrix(const hdf5::Node& root, const Candidate& candidate, const MatrixShape& shape);

}  // namespace genexx::h5ad

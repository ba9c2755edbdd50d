// SPDX-License-Identifier: Apache-2.0
// HDF5 files that hold a dense matrix `X` (cells by genes) and, optionally, labels `Y` at the root.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Cells are cell_0, cell_1, ..., genes gene_0, ...; `Y` becomes the cell column "Y". Throws InputError.
std::unique_ptr<MatrixSource> open_plain_hdf5(const std::string& path, const ReadOptions& options);

// Throws InputError.
FileInfo describe_plain_hdf5(const std::string& path, const ReadOptions& options);

}  // namespace genexx

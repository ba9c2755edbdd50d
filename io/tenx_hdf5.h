// SPDX-License-Identifier: Apache-2.0
// Count matrices of 10x Genomics' Cell Ranger, format versions 1 (Cell Ranger 2 and before, one group per genome) and 2
// (Cell Ranger 3 and later, group /matrix). Layout: cellranger matrix.py, h5_constants.py.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// The three vectors are stored by barcode, so they are a CSR of cells by genes. Keeps the genes whose type is
// options.feature_type. Gene columns: id, name, feature_type, genome, ... Throws InputError.
std::unique_ptr<MatrixSource> open_tenx_hdf5(const std::string& path, const ReadOptions& options);

// Throws InputError.
FileInfo describe_tenx_hdf5(const std::string& path, const ReadOptions& options);

}  // namespace genexx

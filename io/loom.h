// SPDX-License-Identifier: Apache-2.0
// Loom files 2.0.1 and 3.0.0: /matrix is genes by cells and dense. Layout: loompy doc/format.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Opens /matrix or layers/NAME, transposed to cells by genes while streaming. Cell names from col_attrs CellID or
// obs_names, gene names from row_attrs Gene, Accession or var_names. Throws InputError.
std::unique_ptr<MatrixSource> open_loom(const std::string& path, const ReadOptions& options);

// Throws InputError.
FileInfo describe_loom(const std::string& path, const ReadOptions& options);

}  // namespace genexx

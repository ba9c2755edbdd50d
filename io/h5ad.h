// SPDX-License-Identifier: Apache-2.0
// AnnData files of every generation. Layouts: anndata docs/fileformat-prose.md (0.8 and later), the archive files of
// anndata's tests (0.5, 0.7).
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Opens X, raw or layers/NAME (options.matrix; default X, or raw where X is absent). Streams CSR and dense matrices;
// a CSC matrix is turned into CSR on the first read. Throws InputError.
std::unique_ptr<MatrixSource> open_h5ad(const std::string& path, const ReadOptions& options);

// Throws InputError when the tables cannot be read; a matrix that cannot be read is listed with its problem.
FileInfo describe_h5ad(const std::string& path, const ReadOptions& options);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// The door of io: opens any readable file as a MatrixSource.
#pragma once

#include <memory>
#include <string>

#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Opens an expression matrix of any known format (file_format.h) and applies the options that are not the format's own:
// gene_column and labels_file. Throws InputError for what cannot be read, RefusedError for a gene column that is
// absent.
std::unique_ptr<MatrixSource> open_matrix(const std::string& path, const ReadOptions& options = {});

}  // namespace genexx

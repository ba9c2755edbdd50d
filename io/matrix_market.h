// SPDX-License-Identifier: Apache-2.0
// Matrix Market matrices: the directories of Cell Ranger 2 and 3, STARsolo and kallisto, or a lone .mtx file.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// `path` is a directory or a .mtx(.gz) file; matrix_market_files.h says which files belong to it. Orientation: from
// options, else from the lengths of the name files (rows are genes where both fit); without name files it must be
// given. Keeps the genes of type options.feature_type where the features file has types. Gene columns: id, name and,
// where the file has them, feature_type; genes are named by name. Entries are read at the first next(): peak memory is
// twice the CSR where the file is ordered by cells, else once the CSR and two passes. Throws InputError for malformed
// files, for name files that do not fit, and where the orientation cannot be told.
std::unique_ptr<MatrixSource> open_matrix_market(const std::string& path, const ReadOptions& options);

// Throws InputError as above; the entries are not read.
FileInfo describe_matrix_market(const std::string& path, const ReadOptions& options);

}  // namespace genexx

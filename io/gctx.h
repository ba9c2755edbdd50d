// SPDX-License-Identifier: Apache-2.0
// GCTX: HDF5 with the matrix at 0/DATA/0/matrix and what is known about genes and samples under 0/META/ROW and
// 0/META/COL. Tools show it genes by samples; in the file's own order it is samples by genes.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Cells are the columns of META/COL, genes the rows of META/ROW; a matrix stored the other way round is told by its
// shape and read as well. Streams by cells. Ids are text even where they are stored as numbers; -666 is missing in the
// metadata, and NaN where it stands in the matrix. Throws InputError for absent or empty ids, lengths that do not agree
// and what io/hdf5.h refuses.
std::unique_ptr<MatrixSource> open_gctx(const std::string& path, const ReadOptions& options);

FileInfo describe_gctx(const std::string& path, const ReadOptions& options);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// GCT tables, versions 1.2 and 1.3, plain or gzip: text with genes in rows and two or four counts at the top.
// Format: CMap, "GCT" and "GCTX" of the Connectopedia; the counts are data rows, data columns, and for 1.3 the fields
// about the rows and about the columns.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Cells are the columns, genes the rows. Fields about them become tables; -666 there means missing. In the matrix an
// empty field, NA, NaN and -666 give NaN. The matrix is held dense in memory (4 bytes a value) from the opening on.
// Throws InputError naming line and column for counts that do not fit the lines, ragged lines, missing ids, a file that
// ends early, and text among the numbers.
std::unique_ptr<MatrixSource> open_gct(const std::string& path, const ReadOptions& options);

// Reads the head, not the rows of genes.
FileInfo describe_gct(const std::string& path, const ReadOptions& options);

}  // namespace genexx

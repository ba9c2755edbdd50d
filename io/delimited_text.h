// SPDX-License-Identifier: Apache-2.0
// Expression tables as text: csv, tsv and the like, plain or gzip, cells in rows or genes in rows.
#pragma once

#include <memory>
#include <string>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Orientation: from options, else told by the names (orientation_evidence.h; options.labels_file helps), and the
// description says why. Cells in rows are streamed, once for the names and once for the numbers; genes in rows are
// turned into CSR in memory at once, with a peak of twice the CSR. The table is never held dense. Cells in rows that
// hold nothing but missing values are left out, with a warning that counts them (brain atlases have such regions).
// Throws InputError naming line and column for malformed text (delimited_reader.h), and where the orientation cannot be
// told.
std::unique_ptr<MatrixSource> open_delimited(const std::string& path, const ReadOptions& options);

// Reads the names, not the numbers. Where the orientation cannot be told, the matrix is listed with that problem.
FileInfo describe_delimited(const std::string& path, const ReadOptions& options);

}  // namespace genexx

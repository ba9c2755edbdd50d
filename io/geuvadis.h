// SPDX-License-Identifier: Apache-2.0
// Text tables as the GEUVADIS project publishes RNA-seq quantities: tab-separated, a header line, genes in rows, the
// gene id in column 1, three more columns about the gene (symbol, chromosome, position), values from column 5.
// Source: E-GEUV-1, GD462.GeneQuantRPKM.50FN.samplename.resk10.txt.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// Whether a header line is that of such a table: TargetID, Gene_Symbol, Chr, Coord.
bool is_geuvadis_header(std::string_view line);

// Any table of that form, whatever its header says. Columns 2 to 4 become fields of the genes. Held dense in memory.
// Throws InputError naming line and column for ragged lines, empty ids and text among the numbers.
std::unique_ptr<MatrixSource> open_geuvadis(const std::string& path, const ReadOptions& options);

FileInfo describe_geuvadis(const std::string& path, const ReadOptions& options);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// What a file is, told from its content and never from its name.
#pragma once

#include <string>

namespace genexx {

enum class FileFormat { h5ad, tenx_hdf5, loom, plain_hdf5, gctx, matrix_market, delimited, npy, gct, geuvadis };

// Short name for people: "h5ad", "10x HDF5", ...
const char* format_name(FileFormat format);

// Looks at the first bytes (through gzip where compressed) and, for HDF5, at the names of the root members. A directory
// is a Matrix Market directory. Throws InputError when the file is missing, empty, or nothing we know.
FileFormat recognise_format(const std::string& path);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// NumPy array files: expression matrices without names, and the arrays that D-GEX writes.
#pragma once

#include <memory>
#include <string>

#include "engine/named_tensor.h"
#include "io/file_info.h"
#include "io/matrix_source.h"
#include "io/read_options.h"

namespace genexx {

// A matrix of two dimensions; cells are the rows unless options say genes_rows. Cells are cell_0, cell_1, ..., genes
// gene_0, .... Streams where the file lies cell by cell (C order with cells in rows, Fortran order with genes in rows);
// otherwise turns it around in memory at the first next(), with a peak of twice the CSR. Throws InputError.
std::unique_ptr<MatrixSource> open_npy(const std::string& path, const ReadOptions& options);

// Throws InputError.
FileInfo describe_npy(const std::string& path, const ReadOptions& options);

// The whole array, any rank, row-major whatever its order in the file. The type is the smallest of f32, f64, u8, i32,
// i64 that holds the file's; bool becomes u8. The name is empty. Throws InputError, also for an unsigned 64-bit number
// over 2^63 - 1.
NamedTensor read_npy(const std::string& path);

// Writes atomically. Throws UsageError for bf16 and for bytes that do not fit the shape, RuntimeError where the file
// cannot be written.
void write_npy(const std::string& path, const NamedTensor& array);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Writing GCTX 1.0 row by row: a file of any length in the memory of one block.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/csr_matrix.h"
#include "io/atomic_file.h"
#include "io/hdf5_write.h"
#include "io/matrix_source.h"

namespace genexx {

// One file. The number of samples is known first; their values come in order, in blocks of any size. The matrix is
// samples by genes, float32, in one piece, as the format's own tools write it; metadata strings have fixed length and
// -666 where they are missing. Throws RuntimeError when the file cannot be written, UsageError for lengths that do not
// agree.
class GctxWriter {
 public:
  GctxWriter(const std::string& path, const Annotations& about);

  // `rows` samples of all genes, row-major.
  void append(const float* values, std::int64_t rows);
  void append(const CsrMatrix& block);

  // The file appears under its name. Throws UsageError while samples are missing.
  void commit();

 private:
  std::string path_;
  std::int64_t samples_, genes_, written_ = 0;
  AtomicFile file_;
  std::optional<hdf5::Node> root_;
  std::optional<hdf5::Node> matrix_;
};

// Writes a whole source, streamed.
void write_gctx(const std::string& path, MatrixSource& source);

}  // namespace genexx

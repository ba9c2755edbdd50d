// SPDX-License-Identifier: Apache-2.0
// Writing GCT 1.3. The text has genes in rows while data come sample by sample, so the values wait in a scratch file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"
#include "io/atomic_file.h"
#include "io/matrix_source.h"
#include "io/scratch_file.h"

namespace genexx {

// One file; samples come in order, in blocks of any size. Memory: one block, and 16 MB or one gene of all samples.
// Numbers have as many digits as give the float back, NaN is written as NaN, missing metadata as -666; tabs and line
// ends in names become spaces. Throws RuntimeError when the file cannot be written, UsageError for lengths that do not
// agree.
class GctWriter {
 public:
  GctWriter(const std::string& path, Annotations about);

  void append(const float* values, std::int64_t rows);  // [rows, genes]
  void append(const CsrMatrix& block);

  // Turns the values around; the file appears under its name. Throws UsageError while samples are missing.
  void commit();

 private:
  struct Panel {
    std::int64_t offset, rows;  // bytes in the scratch file; samples. Stored gene by gene.
  };
  void write_head();
  void write_genes(std::int64_t begin, std::int64_t end, const std::vector<std::vector<std::string>>& fields);

  Annotations about_;
  std::int64_t samples_, genes_, written_ = 0;
  std::vector<Panel> panels_;
  ScratchFile scratch_;
  AtomicFile file_;
};

// Writes a whole source, streamed.
void write_gct(const std::string& path, MatrixSource& source);

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// How rows of expression data reach the models: the interface between io, which knows files, and models, which do not.
#pragma once

#include <cstdint>

#include "engine/csr_matrix.h"

namespace genexx {

// A stream of consecutive row blocks of one matrix (cells by genes). Implementations read files in chunks and never
// hold the dense matrix. Not thread-safe.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  virtual std::int64_t rows() const = 0;
  virtual std::int64_t cols() const = 0;

  // Replaces `block` by the next rows (at most `max_rows`, at least one) and returns true, or returns false at the end.
  // `block.cols` equals cols(). Throws InputError naming the place for malformed data.
  virtual bool next(CsrMatrix& block, std::int64_t max_rows) = 0;

  // Starts again at row 0.
  virtual void rewind() = 0;
};

}  // namespace genexx

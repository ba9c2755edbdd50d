// SPDX-License-Identifier: Apache-2.0
// A matrix that is held in memory as CSR, for formats whose order on disk does not allow streaming by cells.
#pragma once

#include <functional>

#include "io/matrix_source.h"

namespace genexx {

// Calls `load` at the first next(); until then only names are held. The matrix must have the shape of `annotations`,
// columns sorted, no duplicates, no zeros.
class MemorySource final : public MatrixSource {
 public:
  MemorySource(Annotations annotations, std::function<CsrMatrix()> load)
      : MatrixSource(std::move(annotations)), load_(std::move(load)) {}

  bool next(CsrMatrix& block, std::int64_t max_rows) override;
  void rewind() override { next_row_ = 0; }

 private:
  std::function<CsrMatrix()> load_;  // empty once called
  CsrMatrix matrix_;
  std::int64_t next_row_ = 0;
};

// Brings each row into the form all sources promise: columns sorted, duplicates summed in the order they come, zeros
// dropped (a NaN is kept). In place; O(nnz log(longest row)).
void tidy_rows(CsrMatrix& matrix);

}  // namespace genexx

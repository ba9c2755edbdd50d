// SPDX-License-Identifier: Apache-2.0
// A matrix of an HDF5 file as a MatrixSource, however it is stored.
#pragma once

#include <variant>

#include "io/hdf5_dense.h"
#include "io/hdf5_sparse.h"
#include "io/matrix_source.h"

namespace genexx::hdf5 {

using RowReader = std::variant<CsrRows, CscRows, DenseRows>;

class Hdf5Matrix final : public MatrixSource {
 public:
  // The reader's cells are at least as many as the annotations', its genes as many.
  Hdf5Matrix(Annotations annotations, RowReader reader);

  bool next(CsrMatrix& block, std::int64_t max_rows) override;
  void rewind() override { row_ = 0; }

 private:
  RowReader reader_;
  std::int64_t row_ = 0;
};

// The names "cell_0", "cell_1", ... for files that have none.
std::vector<std::string> numbered_names(const std::string& prefix, std::int64_t count);

}  // namespace genexx::hdf5

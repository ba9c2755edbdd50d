// SPDX-License-Identifier: Apache-2.0
// Sparse matrices stored as three vectors in a group: data, indices, indptr.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/csr_matrix.h"
#include "io/hdf5_values.h"

namespace genexx::hdf5 {

struct SparseLayout {
  std::int64_t major = 0;  // rows of a CSR, columns of a CSC: indptr has one more
  std::int64_t minor = 0;  // what indices count
  int threads = 0;
};

// The three vectors, checked: data and indices of equal length, indptr of major + 1 elements, from 0 to that length,
// not decreasing. Throws InputError naming the element that is wrong.
struct SparseVectors {
  SparseVectors(const Node& group, const SparseLayout& layout);

  VectorReader data;
  VectorReader indices;
  std::vector<std::int64_t> begin;  // [major + 1]
  SparseLayout layout;

  std::int64_t stored_values() const { return begin.back(); }

  // indices [first, first + n) as they are, each checked to be in [0, minor).
  void read_indices(std::int64_t first, std::int64_t n, std::int32_t* out);

 private:
  std::vector<std::int64_t> wide_;
};

// Rows of a matrix stored by rows. Memory: indptr and a few chunks.
class CsrRows {
 public:
  // `new_column` maps stored columns to those of the result, increasing, -1 to leave a column out; empty: all, as
  // stored.
  CsrRows(const Node& group, const SparseLayout& layout, std::vector<std::int32_t> new_column);

  std::int64_t stored_values(std::int64_t rows) const { return vectors_.begin[static_cast<std::size_t>(rows)]; }
  void read(std::int64_t row, std::int64_t count, CsrMatrix& block);

 private:
  SparseVectors vectors_;
  std::vector<std::int32_t> new_column_;
};

// Rows of a matrix stored by columns. The first read turns it into a CSR in memory: one pass over the indices counts
// the values of each row, a second one puts them in place. Memory: that CSR, one offset per row, and a few chunks.
class CscRows {
 public:
  CscRows(const Node& group, const SparseLayout& layout, std::int64_t rows);

  std::int64_t stored_values() const { return vectors_.stored_values(); }
  void read(std::int64_t row, std::int64_t count, CsrMatrix& block);

 private:
  void transpose();
  void count_rows();

  SparseVectors vectors_;
  std::int64_t rows_;
  bool ready_ = false;
  CsrMatrix matrix_;
};

// Rows [row, row + count) of `from`.
void copy_rows(const CsrMatrix& from, std::int64_t row, std::int64_t count, CsrMatrix& block);

// Sorts the columns within each row, sums the values of equal columns and drops zeros. Costs one look at each value
// when there is nothing to do.
void make_canonical(CsrMatrix& matrix);

}  // namespace genexx::hdf5

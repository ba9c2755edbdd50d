// SPDX-License-Identifier: Apache-2.0
// Writing AnnData files in the layout of 0.8, which every later version reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/csr_matrix.h"
#include "io/atomic_file.h"
#include "io/h5ad_elements.h"
#include "io/hdf5_append.h"
#include "io/matrix_source.h"

namespace genexx {

struct H5adOptions {
  int gzip_level = 4;  // 0: not compressed, 9: smallest
  int threads = 0;     // for compression; 0: as many as the machine has
};

// One file. Call write_cells and write_genes, one of the ways to write X, then what else there is, then commit(): the
// file appears under its name whole (AtomicFile) or not at all. Order of the calls is free; each element once. Members
// throw RuntimeError when the file cannot be written, UsageError when lengths do not agree.
class H5adWriter {
 public:
  explicit H5adWriter(const std::string& path, const H5adOptions& options = {});

  void write_cells(const std::vector<std::string>& names, const ObsTable& table);
  void write_genes(const std::vector<std::string>& names, const ObsTable& table);

  // X as CSR of float32, in row blocks. `most_values` bounds the number of values when it is known: below 2^31, and for
  // small shapes, indices are int32, as SciPy would choose.
  void begin_matrix(std::int64_t cols, std::int64_t most_values = -1);
  void append_rows(const CsrMatrix& block);

  void write_matrix(const CsrMatrix& matrix);
  void write_matrix(MatrixSource& source);                                       // streams all its rows
  void write_dense_matrix(const std::vector<float>& values, std::int64_t cols);  // [cells, cols]

  void write_obsm(const std::string& name, const std::vector<float>& values, std::int64_t cols);  // [cells, cols]
  // `path` is relative to uns and may have several components: "genexx/KEY/classes".
  void write_uns(const std::string& path, const std::vector<std::string>& values);

  void commit();

 private:
  struct SparseState {
    SparseState(const hdf5::Node& group, hid_t index_type, const H5adOptions& options);
    hdf5::Node group;
    bool wide;  // int64 indices
    std::int64_t cols = 0;
    std::vector<std::int64_t> row_begin = {0};
    hdf5::VectorAppender data, indices;
  };
  void finish_matrix();
  std::int64_t rows_of(std::size_t values, std::int64_t cols, const char* what) const;
  void expect_rows(const std::string& what, std::int64_t rows);

  std::string path_;
  H5adOptions options_;
  AtomicFile file_;
  std::optional<hdf5::Node> root_;
  std::optional<SparseState> sparse_;
  std::int64_t cells_ = -1, genes_ = -1;  // as the tables say
  std::int64_t matrix_rows_ = -1, matrix_cols_ = -1;
};

// Writes a whole source: matrix, names, tables.
void write_h5ad(const std::string& path, MatrixSource& source, const H5adOptions& options = {});

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad_writer.h"

#include <limits>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx {
namespace {

constexpr std::int64_t kNarrow = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kRowsAtOnce = 1024;

}  // namespace

H5adWriter::SparseState::SparseState(const hdf5::Node& parent, hid_t index_type, const H5adOptions& options)
    : group(parent),
      wide(index_type == H5T_STD_I64LE),
      data(group, "data", {.type = H5T_IEEE_F32LE, .gzip_level = options.gzip_level, .threads = options.threads}),
      indices(group, "indices", {.type = index_type, .gzip_level = options.gzip_level, .threads = options.threads}) {}

H5adWriter::H5adWriter(const std::string& path, const H5adOptions& options)
    : path_(path), options_(options), file_(path), root_(hdf5::create_file(file_.temporary_path(), path)) {
  h5ad::mark(*root_, h5ad::Encoding::marked, "anndata", "0.1.0");
  for (const char* name : {"layers", "obsm", "obsp", "uns", "varm", "varp"}) {
    h5ad::open_or_create_dict(*root_, name, h5ad::Encoding::marked);
  }
}

void H5adWriter::write_cells(const std::vector<std::string>& names, const ObsTable& table) {
  h5ad::write_table(*root_, "obs", {names, table});
  cells_ = static_cast<std::int64_t>(names.size());
}

void H5adWriter::write_genes(const std::vector<std::string>& names, const ObsTable& table) {
  h5ad::write_table(*root_, "var", {names, table});
  genes_ = static_cast<std::int64_t>(names.size());
}

void H5adWriter::begin_matrix(std::int64_t cols, std::int64_t most_values) {
  const bool is_narrow = most_values >= 0 && most_values <= kNarrow;
  const hdf5::Node group = hdf5::create_group(*root_, "X");
  h5ad::mark(group, h5ad::Encoding::marked, "csr_matrix", "0.1.0");
  sparse_.emplace(group, is_narrow ? H5T_STD_I32LE : H5T_STD_I64LE, options_);
  sparse_->cols = cols;
}

void H5adWriter::append_rows(const CsrMatrix& block) {
  if (!sparse_) throw UsageError("append_rows was called before begin_matrix");
  if (block.cols != sparse_->cols) {
    throw UsageError(fmt::format("a block has {} columns, expected {}", block.cols, sparse_->cols));
  }
  const std::int64_t before = sparse_->row_begin.back();
  for (std::int64_t i = 1; i <= block.rows; ++i) {
    sparse_->row_begin.push_back(before + block.row_begin[static_cast<std::size_t>(i)]);
  }
  sparse_->data.append(block.value.data(), block.nnz());
  if (!sparse_->wide) {
    if (sparse_->row_begin.back() > kNarrow) throw UsageError("more values were appended than begin_matrix was told");
    sparse_->indices.append(block.column.data(), block.nnz());
    return;
  }
  const std::vector<std::int64_t> wide(block.column.begin(), block.column.end());
  sparse_->indices.append(wide.data(), block.nnz());
}

void H5adWriter::finish_matrix() {
  if (!sparse_) return;
  sparse_->data.finish();
  sparse_->indices.finish();
  matrix_rows_ = static_cast<std::int64_t>(sparse_->row_begin.size()) - 1;
  matrix_cols_ = sparse_->cols;
  if (sparse_->wide) {
    hdf5::write_int64s(sparse_->group, "indptr", sparse_->row_begin);
  } else {
    const std::vector<std::int32_t> narrow(sparse_->row_begin.begin(), sparse_->row_begin.end());
    hdf5::write_int32s(sparse_->group, "indptr", narrow);
  }
  hdf5::write_attribute(sparse_->group, "shape", std::vector<std::int64_t>{matrix_rows_, matrix_cols_});
  sparse_.reset();
}

void H5adWriter::write_matrix(const CsrMatrix& matrix) {
  begin_matrix(matrix.cols, matrix.nnz());
  append_rows(matrix);
}

void H5adWriter::write_matrix(MatrixSource& source) {
  std::int64_t most = source.stored_values();
  std::int64_t cells_by_genes = 0;
  if (most < 0 && !__builtin_mul_overflow(source.rows(), source.cols(), &cells_by_genes)) most = cells_by_genes;
  begin_matrix(source.cols(), most);
  source.rewind();
  CsrMatrix block;
  while (source.next(block, kRowsAtOnce)) append_rows(block);
}

std::int64_t H5adWriter::rows_of(std::size_t values, std::int64_t cols, const char* what) const {
  const auto count = static_cast<std::int64_t>(values);
  if (cols <= 0 || count % cols != 0) {
    throw UsageError(
        fmt::format("{}: {} has {} values, which are not whole rows of {} columns", path_, what, count, cols));
  }
  return count / cols;
}

void H5adWriter::write_dense_matrix(const std::vector<float>& values, std::int64_t cols) {
  matrix_rows_ = rows_of(values.size(), cols, "X");
  matrix_cols_ = cols;
  h5ad::write_dense(*root_, "X", {matrix_rows_, cols, values.data(), options_.gzip_level}, h5ad::Encoding::marked);
}

void H5adWriter::write_obsm(const std::string& name, const std::vector<float>& values, std::int64_t cols) {
  const std::int64_t rows = rows_of(values.size(), cols, name.c_str());
  if (cells_ >= 0) expect_rows("obsm/" + name, rows);
  h5ad::write_dense(root_->open_group("obsm"), name, {rows, cols, values.data(), options_.gzip_level},
                    h5ad::Encoding::marked);
}

void H5adWriter::write_uns(const std::string& path, const std::vector<std::string>& values) {
  hdf5::Node group = root_->open_group("uns");
  std::size_t begin = 0;
  for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', begin)) {
    group = h5ad::open_or_create_dict(group, path.substr(begin, end - begin), h5ad::Encoding::marked);
    begin = end + 1;
  }
  h5ad::write_string_array(group, path.substr(begin), values, h5ad::Encoding::marked);
}

void H5adWriter::expect_rows(const std::string& what, std::int64_t rows) {
  if (rows != cells_) throw UsageError(fmt::format("{}: {} has {} rows, obs has {}", path_, what, rows, cells_));
}

void H5adWriter::commit() {
  finish_matrix();
  if (cells_ < 0 || genes_ < 0) throw UsageError(fmt::format("{}: an h5ad file needs cells and genes", path_));
  if (matrix_rows_ >= 0) {
    expect_rows("X", matrix_rows_);
    if (matrix_cols_ != genes_) {
      throw UsageError(fmt::format("{}: X has {} columns, var has {} rows", path_, matrix_cols_, genes_));
    }
  }
  hdf5::close_file(root_);
  file_.commit();
}

void write_h5ad(const std::string& path, MatrixSource& source, const H5adOptions& options) {
  H5adWriter writer(path, options);
  writer.write_cells(source.cell_names(), source.cells());
  writer.write_genes(source.gene_names(), source.genes());
  writer.write_matrix(source);
  writer.commit();
}

}  // namespace genexx

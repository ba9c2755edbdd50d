// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad_matrix.h"

#include <limits>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/h5ad_frame.h"
#include "io/hdf5_attributes.h"

namespace genexx::h5ad {
namespace {

using hdf5::Node;

bool is_null(const Node& node) {
  return node.is_dataset() &&
         (hdf5::string_attribute(node, "encoding-type").value_or("") == "null" || hdf5::describe_dataset(node).null);
}

Storage sparse_storage(const Node& group) {
  if (const auto format = hdf5::string_attribute(group, "h5sparse_format")) {
    if (*format == "csr") return Storage::csr;
    if (*format == "csc") return Storage::csc;
    group.fail(fmt::format("has h5sparse_format '{}', expected csr or csc", *format));
  }
  const std::string type = hdf5::string_attribute(group, "encoding-type").value_or("");
  if (type != "csr_matrix" && type != "csc_matrix") {
    group.fail(
        fmt::format("has encoding '{}', expected csr_matrix, csc_matrix or a dense array. Try another matrix with "
                    "--matrix.",
                    type));
  }
  expect_encoding(group, type, {"0.1.0"});
  return type == "csr_matrix" ? Storage::csr : Storage::csc;
}

std::vector<std::int64_t> sparse_shape(const Node& group) {
  for (const char* name : {"shape", "h5sparse_shape"}) {
    if (const auto shape = hdf5::integers_attribute(group, name)) {
      if (shape->size() != 2) group.fail(fmt::format("attribute '{}' has {} numbers, expected 2", name, shape->size()));
      return *shape;
    }
  }
  group.fail("has no attribute 'shape', expected the number of rows and columns");
}

hdf5::DatasetInfo values_info(const StoredMatrix& matrix) {
  return hdf5::describe_dataset(matrix.storage == Storage::dense ? matrix.node : matrix.node.open_dataset("data"));
}

}  // namespace

std::vector<Candidate> find_candidates(const Node& root) {
  std::vector<Candidate> found;
  if (root.has("X") && !is_null(root.open("X"))) found.push_back({"X", "X", "var"});
  if (root.has("raw/X")) found.push_back({"raw", "raw/X", "raw/var"});
  if (root.has("raw.X")) found.push_back({"raw", "raw.X", "raw.var"});
  if (root.has("layers")) {
    const Node layers = root.open("layers");
    if (layers.is_group()) {
      for (const std::string& name : layers.names()) found.push_back({"layers/" + name, "layers/" + name, "var"});
    }
  }
  return found;
}

std::string StoredMatrix::dtype() const { return hdf5::dtype_name(values_info(*this).type); }

const char* StoredMatrix::storage_name() const {
  if (storage == Storage::dense) return "dense";
  return storage == Storage::csr ? "csr" : "csc";
}

StoredMatrix stored_matrix(const Node& node) {
  StoredMatrix matrix{node};
  std::vector<std::int64_t> shape;
  if (node.is_group()) {
    matrix.storage = sparse_storage(node);
    shape = sparse_shape(node);
  } else {
    expect_encoding(node, "array", {"0.2.0"});
    shape = hdf5::describe_dataset(node).shape;
    if (shape.size() != 2) node.fail(fmt::format("has {} dimensions, expected 2 (cells and genes)", shape.size()));
  }
  matrix.rows = shape[0];
  matrix.cols = shape[1];
  if (matrix.rows < 0 || matrix.cols < 0 || matrix.cols > std::numeric_limits<std::int32_t>::max()) {
    node.fail(fmt::format("has shape {} x {}, expected positive extents and fewer than 2^31 genes", matrix.rows,
                          matrix.cols));
  }
  return matrix;
}

void expect_shape(const StoredMatrix& matrix, const MatrixShape& shape) {
  if (matrix.rows == shape.cells && matrix.cols == shape.genes) return;
  matrix.node.fail(
      fmt::format("has shape {} x {}, but obs has {} rows and var {}. Expected cells by genes of the same "
                  "numbers; the file is damaged, write it again.",
                  matrix.rows, matrix.cols, shape.cells, shape.genes));
}

hdf5::RowReader make_reader(const StoredMatrix& matrix, std::int64_t rows, int threads) {
  if (matrix.storage == Storage::dense) return hdf5::DenseRows(matrix.node, hdf5::CellAxis::rows, threads);
  if (matrix.storage == Storage::csr) {
    return hdf5::CsrRows(matrix.node, {matrix.rows, matrix.cols, threads}, {});
  }
  return hdf5::CscRows(matrix.node, {matrix.cols, matrix.rows, threads}, rows);
}

MatrixInfo describe_matrix(const Node& root, const Candidate& candidate, const MatrixShape& shape) {
  MatrixInfo info;
  info.name = candidate.name;
  try {
    const StoredMatrix matrix = stored_matrix(root.open(candidate.path));
    info.rows = matrix.rows;
    info.cols = matrix.cols;
    info.storage = matrix.storage_name();
    const Node values = matrix.storage == Storage::dense ? matrix.node : matrix.node.open_dataset("data");
    const hdf5::DatasetInfo stored = hdf5::describe_dataset(values);
    info.dtype = hdf5::dtype_name(stored.type);
    if (matrix.storage != Storage::dense) info.stored_values = stored.elements();
    for (const hdf5::Filter& filter : stored.filters) info.filters.push_back(hdf5::filter_name(filter.id));
    expect_shape(matrix, shape);
    info.problem = hdf5::placed_problem(values, stored);
  } catch (const InputError& error) {
    info.problem = error.what();  // the other matrices may be good: the caller shows all
  }
  return info;
}

}  // namespace genexx::h5ad

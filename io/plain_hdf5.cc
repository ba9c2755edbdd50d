// SPDX-License-Identifier: Apache-2.0
#include "io/plain_hdf5.h"

#include <fmt/format.h>

#include "io/hdf5_matrix.h"

namespace genexx {
namespace {

using hdf5::Node;

struct PlainFile {
  Node matrix;
  std::int64_t cells = 0, genes = 0;
  ObsTable labels = {};  // the column "Y", when there is one
};

Column read_labels(const Node& node) {
  const hdf5::DatasetInfo info = hdf5::describe_dataset(node);
  if (info.type.is_string()) return {"Y", hdf5::read_strings(node)};
  return {"Y", Numbers{hdf5::read_doubles(node), info.type.is_integer() ? NumberKind::integer : NumberKind::real}};
}

PlainFile open_plain(const std::string& path) {
  const Node root = hdf5::open_file(path);
  PlainFile file{root.open_dataset("X")};
  const hdf5::DatasetInfo info = hdf5::describe_dataset(file.matrix);
  if (info.shape.size() != 2) {
    file.matrix.fail(fmt::format("has {} dimensions, expected 2 (cells and genes)", info.shape.size()));
  }
  file.cells = info.shape[0];
  file.genes = info.shape[1];
  if (root.has("Y")) {
    const Node labels = root.open_dataset("Y");
    file.labels.columns.push_back(read_labels(labels));
    if (row_count(file.labels.columns[0]) != file.cells) {
      labels.fail(
          fmt::format("has {} labels, expected {} as X has rows", row_count(file.labels.columns[0]), file.cells));
    }
  }
  return file;
}

}  // namespace

std::unique_ptr<MatrixSource> open_plain_hdf5(const std::string& path, const ReadOptions& options) {
  PlainFile file = open_plain(path);
  hdf5::DenseRows rows(file.matrix, hdf5::CellAxis::rows, options.threads);
  Annotations annotations;
  annotations.cell_names = hdf5::numbered_names("cell_", file.cells);
  annotations.gene_names = hdf5::numbered_names("gene_", file.genes);
  annotations.cells = std::move(file.labels);
  annotations.description =
      fmt::format("X (plain HDF5; dense {}, {} cells x {} genes without names)",
                  hdf5::dtype_name(hdf5::describe_dataset(file.matrix).type), file.cells, file.genes);
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  return std::make_unique<hdf5::Hdf5Matrix>(std::move(annotations), std::move(rows));
}

FileInfo describe_plain_hdf5(const std::string& path, const ReadOptions&) {
  const PlainFile file = open_plain(path);
  const hdf5::DatasetInfo stored = hdf5::describe_dataset(file.matrix);
  FileInfo info;
  info.format = FileFormat::plain_hdf5;
  info.bytes = file.matrix.file().bytes;
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = file.cells;
  matrix.cols = file.genes;
  matrix.dtype = hdf5::dtype_name(stored.type);
  matrix.storage = "dense";
  for (const hdf5::Filter& filter : stored.filters) matrix.filters.push_back(hdf5::filter_name(filter.id));
  matrix.problem = hdf5::placed_problem(file.matrix, stored);
  info.matrices.push_back(std::move(matrix));
  describe_columns(file.labels, {}, info);
  return info;
}

}  // namespace genexx

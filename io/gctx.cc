// SPDX-License-Identifier: Apache-2.0
#include "io/gctx.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/cmap_metadata.h"
#include "io/hdf5_attributes.h"
#include "io/hdf5_dense.h"
#include "io/hdf5_matrix.h"
#include "io/hdf5_values.h"

namespace genexx {
namespace {

using hdf5::Node;

constexpr char kMatrix[] = "0/DATA/0/matrix";

struct Frame {
  std::vector<std::string> ids;
  ObsTable table;
};

Column read_field(const std::string& name, const Node& node, const hdf5::DatasetInfo& info) {
  if (info.type.is_string()) return cmap_column(name, hdf5::read_strings(node));
  Numbers numbers{hdf5::read_doubles(node), info.type.is_integer() ? NumberKind::integer : NumberKind::real};
  for (double& value : numbers.values) {
    if (value != static_cast<double>(kCmapMissingNumber)) continue;
    value = std::numeric_limits<double>::quiet_NaN();
    numbers.kind = NumberKind::real;
  }
  return {name, std::move(numbers)};
}

// META/ROW or META/COL.
Frame read_frame(const Node& root, const std::string& path, const std::string& what) {
  const Node group = root.open_group(path);
  if (!group.has("id")) group.fail(fmt::format("has no 'id'; every {} of a GCTX file needs one there", what));
  Frame frame;
  frame.ids = hdf5::read_as_text(group.open_dataset("id"));
  expect_ids(root.file().name + ": " + group.path() + "/id", what, frame.ids);
  const auto length = static_cast<std::int64_t>(frame.ids.size());
  for (const std::string& name : group.names()) {
    if (name == "id") continue;
    const Node node = group.open(name);
    if (!node.is_dataset()) continue;
    const hdf5::DatasetInfo info = hdf5::describe_dataset(node);
    const bool is_vector = info.shape.size() == 1 || (info.shape.size() == 2 && info.shape[1] == 1);
    if (!is_vector || !(info.type.is_string() || info.type.is_number())) {
      frame.table.unread.push_back({name,
                                    is_vector ? "its elements are of type " + hdf5::dtype_name(info.type)
                                              : fmt::format("it has {} dimensions", info.shape.size()),
                                    node.place()});
      continue;
    }
    if (info.shape[0] != length)
      node.fail(
          fmt::format("has {} elements, expected {} as there are ids. The file is damaged.", info.shape[0], length));
    frame.table.columns.push_back(read_field(name, node, info));
  }
  return frame;
}

struct GctxFile {
  Node matrix;
  Frame cells, genes;
  hdf5::CellAxis axis = hdf5::CellAxis::rows;
};

GctxFile open_parts(const std::string& path) {
  const Node root = hdf5::open_file(path);
  GctxFile file{root.open_dataset(kMatrix), read_frame(root, "0/META/COL", "column"),
                read_frame(root, "0/META/ROW", "row")};
  const hdf5::DatasetInfo info = hdf5::describe_dataset(file.matrix);
  if (info.shape.size() != 2)
    file.matrix.fail(fmt::format("has {} dimensions, expected 2 (samples and genes)", info.shape.size()));
  const auto cells = static_cast<std::int64_t>(file.cells.ids.size());
  const auto genes = static_cast<std::int64_t>(file.genes.ids.size());
  if (info.shape[0] == cells && info.shape[1] == genes) return file;
  if (info.shape[0] != genes || info.shape[1] != cells)
    file.matrix.fail(
        fmt::format("is {} x {}, but META/COL has {} ids and META/ROW {}; expected {} x {}. The file is "
                    "damaged.",
                    info.shape[0], info.shape[1], cells, genes, cells, genes));
  file.axis = hdf5::CellAxis::columns;
  return file;
}

std::string version(const Node& root) { return hdf5::string_attribute(root, "version").value_or("GCTX"); }

class GctxSource final : public MatrixSource {
 public:
  GctxSource(Annotations annotations, hdf5::DenseRows reader)
      : MatrixSource(std::move(annotations)), reader_(std::move(reader)) {}

  bool next(CsrMatrix& block, std::int64_t max_rows) override {
    const std::int64_t count = std::min(std::max<std::int64_t>(max_rows, 1), rows() - row_);
    if (count <= 0) return false;
    reader_.read(row_, count, block);
    std::replace(block.value.begin(), block.value.end(), kCmapMissingNumber, std::numeric_limits<float>::quiet_NaN());
    row_ += count;
    return true;
  }
  void rewind() override { row_ = 0; }

 private:
  hdf5::DenseRows reader_;
  std::int64_t row_ = 0;
};

}  // namespace

std::unique_ptr<MatrixSource> open_gctx(const std::string& path, const ReadOptions& options) {
  GctxFile file = open_parts(path);
  hdf5::DenseRows rows(file.matrix, file.axis, options.threads);
  Annotations annotations;
  annotations.cell_names = std::move(file.cells.ids);
  annotations.gene_names = std::move(file.genes.ids);
  annotations.cells = std::move(file.cells.table);
  annotations.genes = std::move(file.genes.table);
  annotations.description =
      fmt::format("{} (GCTX; dense {}, {} samples x {} genes{})", file.matrix.path(),
                  hdf5::dtype_name(hdf5::describe_dataset(file.matrix).type), rows.cells(), rows.genes(),
                  file.axis == hdf5::CellAxis::rows ? "" : ", stored genes first, transposed");
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  return std::make_unique<GctxSource>(std::move(annotations), std::move(rows));
}

FileInfo describe_gctx(const std::string& path, const ReadOptions&) {
  const GctxFile file = open_parts(path);
  const hdf5::DatasetInfo stored = hdf5::describe_dataset(file.matrix);
  FileInfo info;
  info.format = FileFormat::gctx;
  info.bytes = file.matrix.file().bytes;
  info.layout = version(hdf5::open_file(path));
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = static_cast<std::int64_t>(file.cells.ids.size());
  matrix.cols = static_cast<std::int64_t>(file.genes.ids.size());
  matrix.dtype = hdf5::dtype_name(stored.type);
  matrix.storage = "dense";
  for (const hdf5::Filter& filter : stored.filters) matrix.filters.push_back(hdf5::filter_name(filter.id));
  matrix.problem = hdf5::placed_problem(file.matrix, stored);
  info.matrices.push_back(std::move(matrix));
  describe_columns(file.cells.table, file.genes.table, info);
  return info;
}

}  // namespace genexx

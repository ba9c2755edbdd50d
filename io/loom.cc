// SPDX-License-Identifier: Apache-2.0
#include "io/loom.h"

#include <optional>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/hdf5_attributes.h"
#include "io/hdf5_matrix.h"
#include "io/scope_clusterings.h"
#include "io/xml_text.h"

namespace genexx {
namespace {

using hdf5::Node;

struct Frame {
  std::vector<std::string> names;
  ObsTable table;
};

// Strings of fixed length are from before version 3 and hold XML entities.
Strings read_attribute_strings(const Node& node, const hdf5::DatasetInfo& info) {
  Strings strings = hdf5::read_strings(node);
  if (info.type.kind == hdf5::ElementKind::fixed_string) {
    for (std::string& text : strings) text = decode_xml_entities(text);
  }
  return strings;
}

// The vectors of row_attrs or col_attrs that have one element for each row or column.
Frame read_attributes(const Node& root, const std::string& group_name, std::int64_t length,
                      const std::vector<std::string>& index_names, const std::string& prefix) {
  Frame frame;
  const Node group = root.open_group(group_name);
  for (const std::string& name : group.names()) {
    const Node node = group.open(name);
    if (!node.is_dataset()) continue;
    const hdf5::DatasetInfo info = hdf5::describe_dataset(node);
    const bool is_vector = info.shape.size() == 1 || (info.shape.size() == 2 && info.shape[1] == 1);
    if (!is_vector) {
      frame.table.unread.push_back({name, fmt::format("it has {} dimensions", info.shape.size()), node.place()});
      continue;
    }
    if (info.shape[0] != length) {
      node.fail(
          fmt::format("has {} elements, expected {} as the matrix has. The file is damaged.", info.shape[0], length));
    }
    if (name == "Clusterings" && info.type.kind == hdf5::ElementKind::compound && info.shape.size() == 1) {
      append_scope_clusterings(root, node, frame.table);
    } else if (info.type.is_string()) {
      frame.table.columns.push_back({name, read_attribute_strings(node, info)});
    } else if (info.type.is_number()) {
      const NumberKind kind = info.type.is_integer() ? NumberKind::integer : NumberKind::real;
      frame.table.columns.push_back({name, Numbers{hdf5::read_doubles(node), kind}});
    } else {
      frame.table.unread.push_back({name, "its elements are of type " + hdf5::dtype_name(info.type), node.place()});
    }
  }
  for (const std::string& name : index_names) {
    const Column* column = frame.table.find(name);
    const Strings* names = column ? std::get_if<Strings>(&column->values) : nullptr;
    if (!names) continue;
    frame.names = *names;
    return frame;
  }
  frame.names = hdf5::numbered_names(prefix, length);
  return frame;
}

// "" where the file does not say, as before version 2.
std::string version(const Node& root) {
  std::string found = hdf5::string_attribute(root, "LOOM_SPEC_VERSION").value_or("");
  if (root.has("attrs/LOOM_SPEC_VERSION")) {
    const Strings stored = hdf5::read_strings(root.open_dataset("attrs/LOOM_SPEC_VERSION"));
    if (!stored.empty()) found = stored.front();
  }
  const std::string major = found.substr(0, found.find('.'));
  if (!major.empty() && major != "1" && major != "2" && major != "3")
    throw InputError(
        fmt::format("{}: LOOM_SPEC_VERSION is '{}', expected a version 2 or 3. The file was written by a "
                    "newer program: write it again with loompy 3.",
                    root.file().name, found));
  return found;
}

std::string matrix_path(const Node& root, const std::optional<std::string>& wanted) {
  if (!wanted || *wanted == "X" || *wanted == "matrix") return "matrix";
  if (wanted->rfind("layers/", 0) == 0 && root.has(*wanted)) return *wanted;
  throw InputError(fmt::format("{}: there is no matrix '{}'. A loom file has X and layers/NAME; see `genexx inspect`.",
                               root.file().name, *wanted));
}

}  // namespace

std::unique_ptr<MatrixSource> open_loom(const std::string& path, const ReadOptions& options) {
  const Node root = hdf5::open_file(path);
  version(root);  // throws for one that is not known
  const Node matrix = root.open_dataset(matrix_path(root, options.matrix));
  hdf5::DenseRows rows(matrix, hdf5::CellAxis::columns, options.threads);
  Frame cells = read_attributes(root, "col_attrs", rows.cells(), {"CellID", "obs_names"}, "cell_");
  Frame genes = read_attributes(root, "row_attrs", rows.genes(), {"Gene", "var_names", "Accession"}, "gene_");
  Annotations annotations;
  annotations.cell_names = std::move(cells.names);
  annotations.gene_names = std::move(genes.names);
  annotations.cells = std::move(cells.table);
  annotations.genes = std::move(genes.table);
  annotations.description =
      fmt::format("{} (loom; dense {}, {} genes x {} cells, transposed)", matrix.path(),
                  hdf5::dtype_name(hdf5::describe_dataset(matrix).type), rows.genes(), rows.cells());
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  return std::make_unique<hdf5::Hdf5Matrix>(std::move(annotations), std::move(rows));
}

FileInfo describe_loom(const std::string& path, const ReadOptions&) {
  const Node root = hdf5::open_file(path);
  FileInfo info;
  info.format = FileFormat::loom;
  info.bytes = root.file().bytes;
  info.layout = fmt::format("Loom {}", version(root));
  std::vector<std::string> paths = {"matrix"};
  if (root.has("layers")) {
    for (const std::string& name : root.open_group("layers").names()) paths.push_back("layers/" + name);
  }
  for (const std::string& name : paths) {
    MatrixInfo matrix;
    matrix.name = name == "matrix" ? "X" : name;
    matrix.storage = "dense";
    const Node node = root.open_dataset(name);
    const hdf5::DatasetInfo stored = hdf5::describe_dataset(node);
    if (stored.shape.size() != 2) node.fail(fmt::format("has {} dimensions, expected 2", stored.shape.size()));
    matrix.rows = stored.shape[1];
    matrix.cols = stored.shape[0];
    matrix.dtype = hdf5::dtype_name(stored.type);
    for (const hdf5::Filter& filter : stored.filters) matrix.filters.push_back(hdf5::filter_name(filter.id));
    matrix.problem = hdf5::placed_problem(node, stored);
    info.matrices.push_back(std::move(matrix));
  }
  const MatrixInfo& main = info.matrices.front();
  const Frame cells = read_attributes(root, "col_attrs", main.rows, {}, "cell_");
  const Frame genes = read_attributes(root, "row_attrs", main.cols, {}, "gene_");
  describe_columns(cells.table, genes.table, info);
  return info;
}

}  // namespace genexx

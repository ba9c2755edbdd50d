// SPDX-License-Identifier: Apache-2.0
#include "io/tenx_hdf5.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/error.h"
#include "io/hdf5_matrix.h"

namespace genexx {
namespace {

using hdf5::Node;

// The group of the matrix and what its gene table has.
struct TenxFile {
  Node group;
  bool is_version_2 = false;  // format version 2: Cell Ranger 3 and later
};

// Groups that look like a genome of format version 1.
std::vector<std::string> genomes(const Node& root) {
  std::vector<std::string> found;
  for (const std::string& name : root.names()) {
    if (root.has(name + "/indptr") && root.has(name + "/barcodes") && root.has(name + "/genes")) found.push_back(name);
  }
  return found;
}

TenxFile find_matrix(const Node& root, const ReadOptions& options) {
  if (root.has("matrix/features")) return {root.open_group("matrix"), true};
  const std::vector<std::string> names = genomes(root);
  if (names.empty()) root.fail("has neither a group 'matrix' with 'features' nor a group of a genome, expected one");
  if (!options.genome) {
    if (names.size() > 1) {
      throw RefusedError(fmt::format("{}: holds {} genomes: {}. Say which one to read with --matrix GENOME.",
                                     root.file().name, names.size(), fmt::join(names, ", ")));
    }
    return {root.open_group(names.front()), false};
  }
  if (std::find(names.begin(), names.end(), *options.genome) == names.end()) {
    throw InputError(fmt::format("{}: there is no genome '{}'. The file has: {}.", root.file().name, *options.genome,
                                 fmt::join(names, ", ")));
  }
  return {root.open_group(*options.genome), false};
}

void expect_length(const Node& node, std::size_t found, std::int64_t expected) {
  if (static_cast<std::int64_t>(found) != expected) {
    node.fail(
        fmt::format("has {} elements, expected {} as the matrix's shape says. The file is damaged.", found, expected));
  }
}

// Every string dataset about the features that has one element each; names first.
ObsTable read_features(const TenxFile& file, std::int64_t features) {
  ObsTable table;
  if (!file.is_version_2) {
    const Node ids = file.group.open_dataset("genes");
    const Node names = file.group.has("gene_names") ? file.group.open_dataset("gene_names") : ids;
    table.columns.push_back({"id", hdf5::read_strings(ids)});
    table.columns.push_back({"name", hdf5::read_strings(names)});
    for (const Column& column : table.columns)
      expect_length(ids, static_cast<std::size_t>(row_count(column)), features);
    return table;
  }
  const Node group = file.group.open_group("features");
  for (const char* required : {"id", "name", "feature_type"}) {
    const Node node = group.open_dataset(required);
    table.columns.push_back({required, hdf5::read_strings(node)});
    expect_length(node, static_cast<std::size_t>(row_count(table.columns.back())), features);
  }
  for (const std::string& name : group.names()) {
    if (name == "_all_tag_keys" || name == "target_sets" || table.find(name)) continue;
    const Node node = group.open(name);
    if (!node.is_dataset()) continue;
    const hdf5::DatasetInfo info = hdf5::describe_dataset(node);
    if (info.elements() != features || info.shape.size() != 1) continue;
    if (info.type.is_string()) table.columns.push_back({name, hdf5::read_strings(node)});
  }
  return table;
}

// Features of the wanted type, in file order. Throws when there are none, naming the types there are.
std::vector<std::int64_t> kept_features(const TenxFile& file, const ObsTable& table, const std::string& wanted,
                                        std::int64_t features) {
  std::vector<std::int64_t> kept;
  const Column* column = table.find("feature_type");
  if (!column || wanted.empty()) {
    for (std::int64_t i = 0; i < features; ++i) kept.push_back(i);
    return kept;
  }
  const Strings& types = std::get<Strings>(column->values);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] == wanted) kept.push_back(static_cast<std::int64_t>(i));
  }
  if (kept.empty()) {
    const std::set<std::string> present(types.begin(), types.end());
    file.group.fail(fmt::format("has no feature of type '{}'. Its types are: {}.", wanted, fmt::join(present, ", ")));
  }
  return kept;
}

void keep(ObsTable& table, const std::vector<std::int64_t>& rows) {
  for (Column& column : table.columns) {
    Strings& all = std::get<Strings>(column.values);
    Strings some;
    for (const std::int64_t row : rows) some.push_back(std::move(all[static_cast<std::size_t>(row)]));
    all = std::move(some);
  }
}

struct TenxShape {
  std::int64_t features = 0, barcodes = 0;
};

TenxShape read_shape(const Node& group) {
  const Node node = group.open_dataset("shape");
  const std::vector<std::int64_t> shape = hdf5::read_integers(node);
  if (shape.size() != 2 || shape[0] < 0 || shape[1] < 0 || shape[0] > 2147483647) {
    node.fail(fmt::format("is [{}], expected the numbers of features and barcodes", fmt::join(shape, ", ")));
  }
  return {shape[0], shape[1]};
}

ReadOptions with_genome(ReadOptions options) {
  if (options.matrix && *options.matrix != "X") options.genome = options.matrix;
  return options;
}

}  // namespace

std::unique_ptr<MatrixSource> open_tenx_hdf5(const std::string& path, const ReadOptions& options) {
  const Node root = hdf5::open_file(path);
  const TenxFile file = find_matrix(root, with_genome(options));
  const TenxShape shape = read_shape(file.group);
  const Node barcodes = file.group.open_dataset("barcodes");

  Annotations annotations;
  annotations.cell_names = hdf5::read_strings(barcodes);
  expect_length(barcodes, annotations.cell_names.size(), shape.barcodes);
  annotations.genes = read_features(file, shape.features);
  const std::vector<std::int64_t> kept = kept_features(file, annotations.genes, options.feature_type, shape.features);
  keep(annotations.genes, kept);
  annotations.gene_names = std::get<Strings>(annotations.genes.find("name")->values);
  std::vector<std::int32_t> new_column;
  if (static_cast<std::int64_t>(kept.size()) < shape.features) {
    new_column.assign(static_cast<std::size_t>(shape.features), -1);
    for (std::size_t i = 0; i < kept.size(); ++i)
      new_column[static_cast<std::size_t>(kept[i])] = static_cast<std::int32_t>(i);
  }
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  hdf5::CsrRows rows(file.group, {shape.barcodes, shape.features, options.threads}, std::move(new_column));
  annotations.stored_values = rows.stored_values(static_cast<std::int64_t>(annotations.cell_names.size()));
  annotations.description = fmt::format("{} (10x counts; {} of {} features kept, {} cells)", file.group.path(),
                                        kept.size(), shape.features, shape.barcodes);
  return std::make_unique<hdf5::Hdf5Matrix>(std::move(annotations), std::move(rows));
}

FileInfo describe_tenx_hdf5(const std::string& path, const ReadOptions& options) {
  const Node root = hdf5::open_file(path);
  FileInfo info;
  info.format = FileFormat::tenx_hdf5;
  info.bytes = root.file().bytes;
  const bool is_version_2 = root.has("matrix/features");
  info.layout = is_version_2 ? "Cell Ranger 3 or later" : "Cell Ranger 2 or before";
  const std::vector<std::string> names = is_version_2 ? std::vector<std::string>{"matrix"} : genomes(root);
  for (const std::string& name : names) {
    const TenxFile file{root.open_group(name), is_version_2};
    const TenxShape shape = read_shape(file.group);
    const ObsTable genes = read_features(file, shape.features);
    const Node data = file.group.open_dataset("data");
    const hdf5::DatasetInfo stored = hdf5::describe_dataset(data);
    MatrixInfo matrix;
    matrix.name = is_version_2 ? "X" : name;
    matrix.rows = shape.barcodes;
    matrix.cols = static_cast<std::int64_t>(kept_features(file, genes, options.feature_type, shape.features).size());
    matrix.stored_values = stored.elements();
    matrix.dtype = hdf5::dtype_name(stored.type);
    matrix.storage = "csr";
    for (const hdf5::Filter& filter : stored.filters) matrix.filters.push_back(hdf5::filter_name(filter.id));
    matrix.problem = hdf5::placed_problem(data, stored);
    info.matrices.push_back(std::move(matrix));
    if (info.gene_columns.empty()) describe_columns({}, genes, info);
  }
  return info;
}

}  // namespace genexx

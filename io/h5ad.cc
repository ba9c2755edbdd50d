// SPDX-License-Identifier: Apache-2.0
#include "io/h5ad.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/h5ad_frame.h"
#include "io/h5ad_matrix.h"

namespace genexx {
namespace {

using hdf5::Node;

h5ad::Frame read_table(const Node& root, const std::string& path) {
  std::optional<Node> uns;
  if (root.has("uns")) uns = root.open("uns");
  return h5ad::read_frame(root.open(path), uns ? &*uns : nullptr);
}

std::string names_of(const std::vector<h5ad::Candidate>& candidates) {
  std::string names;
  for (const h5ad::Candidate& candidate : candidates) names += (names.empty() ? "" : ", ") + candidate.name;
  return names.empty() ? "none" : names;
}

h5ad::Candidate choose(const Node& root, const std::optional<std::string>& wanted) {
  const std::vector<h5ad::Candidate> candidates = h5ad::find_candidates(root);
  if (!wanted) {
    if (candidates.empty()) root.fail("has no matrix: X is null or absent, and there is no raw and no layer");
    return candidates.front();
  }
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const h5ad::Candidate& candidate) {
    return candidate.name == *wanted || candidate.path == *wanted;
  });
  if (found == candidates.end()) {
    throw InputError(fmt::format("{}: there is no matrix '{}'. The file has: {}. Try --matrix with one of these.",
                                 root.file().name, *wanted, names_of(candidates)));
  }
  return *found;
}

std::string describe_choice(const h5ad::Candidate& candidate, const h5ad::StoredMatrix& matrix,
                            const std::optional<std::string>& wanted) {
  const char* why = wanted ? "as asked" : candidate.name == "X" ? "the main matrix" : "because X is absent";
  return fmt::format("{} ({}; {} {}, {} cells x {} genes)", candidate.name, why, matrix.storage_name(), matrix.dtype(),
                     matrix.rows, matrix.cols);
}

}  // namespace

std::unique_ptr<MatrixSource> open_h5ad(const std::string& path, const ReadOptions& options) {
  const Node root = hdf5::open_file(path);
  h5ad::generation(root);
  const h5ad::Candidate candidate = choose(root, options.matrix);
  const h5ad::StoredMatrix matrix = h5ad::stored_matrix(root.open(candidate.path));
  h5ad::Frame cells = read_table(root, "obs");
  h5ad::Frame genes = read_table(root, candidate.var_path);
  h5ad::expect_shape(matrix,
                     {static_cast<std::int64_t>(cells.names.size()), static_cast<std::int64_t>(genes.names.size())});

  Annotations annotations;
  annotations.cell_names = std::move(cells.names);
  annotations.gene_names = std::move(genes.names);
  annotations.cells = std::move(cells.table);
  annotations.genes = std::move(genes.table);
  annotations.description = describe_choice(candidate, matrix, options.matrix);
  if (options.limit_cells) limit_cells(annotations, *options.limit_cells);
  const auto rows = static_cast<std::int64_t>(annotations.cell_names.size());
  hdf5::RowReader reader = h5ad::make_reader(matrix, rows, options.threads);
  if (const auto* csr = std::get_if<hdf5::CsrRows>(&reader)) annotations.stored_values = csr->stored_values(rows);
  if (const auto* csc = std::get_if<hdf5::CscRows>(&reader)) annotations.stored_values = csc->stored_values();
  return std::make_unique<hdf5::Hdf5Matrix>(std::move(annotations), std::move(reader));
}

FileInfo describe_h5ad(const std::string& path, const ReadOptions&) {
  const Node root = hdf5::open_file(path);
  FileInfo info;
  info.format = FileFormat::h5ad;
  info.layout = h5ad::layout_name(h5ad::generation(root));
  info.bytes = root.file().bytes;
  const h5ad::Frame cells = read_table(root, "obs");
  const h5ad::Frame genes = read_table(root, "var");
  for (const h5ad::Candidate& candidate : h5ad::find_candidates(root)) {
    const std::int64_t columns = candidate.var_path == "var" ? static_cast<std::int64_t>(genes.names.size())
                                                             : h5ad::frame_rows(root.open(candidate.var_path));
    info.matrices.push_back(
        h5ad::describe_matrix(root, candidate, {static_cast<std::int64_t>(cells.names.size()), columns}));
  }
  describe_columns(cells.table, genes.table, info);
  return info;
}

}  // namespace genexx

// SPDX-License-Identifier: Apache-2.0
// Stage 1 of scAnnoNet: from counts and labels to the cell-type-specific genes, and everything fitted on the way.
//   1 cell types with too few cells are dropped
//   2 genes with a low total are dropped, then cells with a low total over the genes left
//   3 library size: each cell divided by its total, times the median total        4 ln(1 + x)
//   5 the most variable genes                                 highly_variable.h
//   6 markers of each type from the mean log-expression       markers.h
//   7 z-score over the cells (ddof 1); constant genes correlate with nothing and so are never features
//   8 genes correlated over all cells with a marker of a type are co-expressed with the type
//   9 features: all markers and co-expressed genes
// Cost O(nnz + genes x markers x cells), one matrix product; memory a few arrays of genes x types and genes x markers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/csr_matrix.h"
#include "engine/recipe.h"

namespace genexx::scannonet {

struct SelectionOptions {
  // What the values are. log_normalized skips steps 3 and 4 (and undoes the logarithm in 5); scaled skips them too,
  // takes variances as they are in 5 and differences of means in 6.
  Recipe::InputKind input = Recipe::InputKind::counts;
  std::int64_t min_cells_per_type = 10;  // 100 in the cross-batch variant
  // Least total count of a gene. None: one count in twenty cells or ten in a million of all counts, whichever is
  // more, at least 3 and at most 1000 (the number of the published scripts, reached from 20,000 cells on, sooner by
  // deep sequencing); for input that is not counts: not 0 in at least 3 cells. README.md says why.
  std::optional<double> min_gene_total = {};
  double min_cell_total = 3;  // counts only
  std::int64_t variable_genes = 4000;
  std::int64_t markers_per_type = 20;
  double min_log2_fold_change = 1;
  double max_p_value = 0.05;
  double index_beta = 1;  // of discriminant_index.h
};

struct SelectionInput {
  const CsrMatrix& values;                   // cells by genes
  std::span<const std::int32_t> labels;      // [cells] type of each cell, below 0 for none
  std::span<const std::string> type_names;   // for messages
  std::span<const std::int64_t> cells = {};  // ascending; the cells to fit on (a fold's training cells); empty: all
};

// Genes are columns of the input everywhere, cells its rows, types codes of the labels.
struct Selection {
  std::vector<std::int64_t> cells;     // kept by steps 1 and 2, ascending
  std::vector<std::int32_t> types;     // kept, ascending
  std::vector<std::int64_t> genes;     // kept by step 2, ascending
  double target_sum = 0;               // the median total; 0 when library size was skipped
  std::vector<double> cell_totals;     // [cells] over `genes`
  std::vector<double> gene_share;      // [genes] part of all normalised values the gene holds
  std::vector<double> dispersions;     // [genes] normalised; empty for scaled input
  std::vector<std::int64_t> variable;  // step 5, ascending

  struct Marker {
    std::int32_t type;
    std::int64_t gene;
    double log2_fold_change;
  };
  std::vector<Marker> markers;  // by type, largest first

  // A line of gene_list.csv: celltype, marker_gene, coexpressed_gene, pval.
  struct Coexpression {
    std::int32_t type;
    std::int64_t marker, gene;
    double p_value;
  };
  std::vector<Coexpression> coexpressed;  // by type, marker, gene

  std::vector<std::int64_t> features;   // markers in order of first mention, then co-expressed genes ascending
  std::vector<double> mean, deviation;  // [features] of the z-score
  std::vector<double> index;            // [features] discriminant index of the z-scored data
  std::vector<std::string> warnings;    // what was dropped, a sentence each
};

// Runs the nine steps on the context. Throws RefusedError when fewer than two types, no gene, no cell or no feature is
// left, UsageError for options out of range, ShapeError when labels do not fit the matrix.
Selection select_genes(Context& ctx, const SelectionInput& input, const SelectionOptions& options);

}  // namespace genexx::scannonet

// SPDX-License-Identifier: Apache-2.0
// The fitted preprocessing of a model, as data: which genes, in which order, and the numbers that turn a cell's stored
// values into the model's input. It is stored in the model file, so that prediction cannot differ from training.
//
// Steps, in this order; each may be absent:
//   1. library size   v * target_sum / (sum of the cell over the library genes)
//   2. log1p          ln(1 + v)
//   3. scaling        (v - shift) * factor                z-score: mean, 1/std; min-max: min, 1/(max - min)
//   4. clip           to [-clip, clip]
//   5. mask           0 for genes the replica does not use
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "engine/named_tensor.h"

namespace genexx {

struct Recipe {
  // What the values of the training file were, and a file to predict must be.
  enum class InputKind { counts, log_normalized, scaled };
  // What shift and factor are made of; `none` when both are empty.
  enum class Scaling { none, z_score, min_max };
  // What a gene of the model that the input lacks becomes: a count of zero, or the mean of training (0 after a
  // z-score).
  enum class MissingGene { zero, mean };

  std::vector<std::string> gene_ids;      // [g] names by which the training file knew the genes
  std::vector<std::string> gene_symbols;  // [g] other names to match by, or empty

  InputKind input = InputKind::counts;

  // Library size. Replicas fitted on different cells differ in target and in genes.
  std::vector<double> target_sum;                 // [r or 1]; empty: no library-size step
  std::vector<std::string> library_gene_ids;      // [l] genes any replica sums over
  std::vector<std::string> library_gene_symbols;  // [l] or empty
  std::vector<double> library_share;  // [r or 1, l] part of the normalised training values this gene holds, summing to
                                      // 1 for each replica; 0: not summed over. Where the input lacks library genes the
                                      // target is scaled by the share of those present

  bool log1p = false;

  Scaling scaling = Scaling::none;
  std::vector<double> shift;       // [r or 1, g] or empty
  std::vector<double> factor;      // [r or 1, g] or empty
  double clip = 0;                 // 0: no limit
  std::vector<std::uint8_t> mask;  // [r or 1, g], 1 for genes in use; empty: all

  MissingGene missing = MissingGene::zero;

  std::int64_t genes() const { return static_cast<std::int64_t>(gene_ids.size()); }
  std::int64_t library_genes() const { return static_cast<std::int64_t>(library_gene_ids.size()); }
  // The number of replicas the statistics distinguish: the r of the largest of them, at least 1.
  std::int64_t replicas() const;

  // factor with masked genes set to 0, [r, g] for the given number of replicas (shared values repeated): what the
  // ingest op takes. `missing_gene`, when not empty, is [g] with 1 for genes the input lacks: with MissingGene::mean
  // their factor becomes 0 too.
  std::vector<double> effective_factor(std::int64_t replicas, const std::vector<std::uint8_t>& missing_gene = {}) const;
  // shift as [r, g] for the given number of replicas; zeros when there is none.
  std::vector<double> effective_shift(std::int64_t replicas) const;
};

// Throws InputError naming the field when lengths disagree or a number is not finite.
void check(const Recipe& recipe);

// Settings and gene names. The statistics go into `statistics`.
nlohmann::json to_json(const Recipe& recipe);

// The statistics as f64 (mask: u8) tensors named "recipe.shift", "recipe.factor", "recipe.mask", "recipe.target_sum",
// "recipe.library_share", of shape [r or 1, ...]; empty ones are left out.
std::vector<NamedTensor> statistics(const Recipe& recipe);

// The inverse of both; tensors of other names are ignored. The result is checked. Throws InputError naming the field
// that is missing, of the wrong type or of the wrong size.
Recipe recipe_from(const nlohmann::json& json, const std::vector<NamedTensor>& tensors);

}  // namespace genexx
